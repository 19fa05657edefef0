"""How nodes compute on operands as they are stored, whatever order of axes they see."""

from tinyflow.passes.transposes.sinking.table import sink_moves

__all__ = ["sink_moves"]
