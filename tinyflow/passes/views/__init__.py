"""Tensors seen as others: chains of RESHAPE, TRANSPOSE and SLICE as one map of positions."""

from tinyflow.passes.views.moves import Moves, moves
from tinyflow.passes.views.view import Atom, View

__all__ = ["Atom", "Moves", "View", "moves"]
