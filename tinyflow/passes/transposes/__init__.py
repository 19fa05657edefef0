"""The parts of `tinyflow.passes.remove_transposes`, one kind of rewrite a file."""
