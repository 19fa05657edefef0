"""What the rules ask of the operands of a node."""

from __future__ import annotations

from tinyflow.ir import Shape
from tinyflow.passes.transposes.sweep import Held, Sweep
from tinyflow.passes.views import View, moves
from tinyflow.passes.views.factored import Factored


def is_constant(sweep: Sweep, name: str) -> bool:
    return sweep.graph.tensors[name].is_constant


def is_moved(held: Held) -> bool:
    """Whether it pays to compute on the tensor as it is stored.

    A RESHAPE costs nothing where it is. But where it only shows a map as tokens, or puts axes of
    1 elsewhere, layers below want what is above it.
    """
    stored, seen = held.stored, held.view.shape
    if not held.view.is_in_order:
        return True
    tokens = len(stored) == 4 and len(seen) == 3 and stored[-1] == seen[-1] and stored[2] > 1
    return stored != seen and (tokens or len(stored) == len(seen))


def factored(held: Held) -> Factored | None:
    return Factored.of(held.view, held.stored)


def cost(view: View | None, stored: Shape) -> int | None:
    """Elements that move to bring a stored tensor into the form of a view; None if nothing
    does."""
    if view is None:
        return None
    return 0 if moves(view, stored).is_free else view.elements
