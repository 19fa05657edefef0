"""Handlers of ATen operations, by kind; `tinyflow.importers.torch.table` lists them all."""
