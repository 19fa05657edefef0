"""The shortest RESHAPE, TRANSPOSE, RESHAPE that brings a tensor into the form of a view."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tinyflow.ir import Attrs, Op, Shape
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.views.narrow import block_moves
from tinyflow.passes.views.view import View

Perm = tuple[int, ...]

MOST_AXES = 4
"""Kernels see at most so many."""


@dataclass(frozen=True)
class Moves:
    """RESHAPE to ``before``, TRANSPOSE by ``perm``, RESHAPE to ``after``; None leaves one out."""

    before: Shape | None = None
    perm: Perm | None = None
    after: Shape | None = None

    @property
    def count(self) -> int:
        return sum(step is not None for step in (self.before, self.perm, self.after))

    @property
    def is_free(self) -> bool:
        """Whether no element moves at run time."""
        return self.perm is None

    def steps(self, source: Shape) -> Iterator[tuple[Op, Attrs]]:
        """The nodes, from a tensor of shape ``source``. A TRANSPOSE of more axes than kernels see
        becomes several, of one matrix or stack of matrices each."""
        if self.perm is None or len(self.perm) <= MOST_AXES:
            if self.before is not None:
                yield Op.RESHAPE, ReshapeAttrs(self.before)
            if self.perm is not None:
                yield Op.TRANSPOSE, TransposeAttrs(self.perm)
            if self.after is not None:
                yield Op.RESHAPE, ReshapeAttrs(self.after)
            return
        sizes = source if self.before is None else self.before
        result = self.after or tuple(sizes[axis] for axis in self.perm)
        shape = source
        for wanted, perm in _blocks(sizes[1:], tuple(axis - 1 for axis in self.perm[1:])):
            if wanted != shape:
                yield Op.RESHAPE, ReshapeAttrs(wanted)
            yield Op.TRANSPOSE, TransposeAttrs(perm)
            shape = tuple(wanted[axis] for axis in perm)
        if shape != result:
            yield Op.RESHAPE, ReshapeAttrs(result)


def moves(view: View, source: Shape) -> Moves:
    """From a tensor of shape ``source``, with a batch axis of 1, to a view of all of it.

    TRANSPOSEs have as few axes as the ends allow, four at most wherever that is possible; then
    fewer nodes count, then a RESHAPE below rather than above.
    """
    result = view.shape
    if view.is_in_order:
        return Moves(after=None if source == result else result)
    found = [m for m in (_below(view, source), _above(view, source)) if m is not None]
    return min([*found, _between(view, source)], key=_burden)


def _burden(m: Moves) -> tuple[bool, int]:
    return len(m.perm or ()) > MOST_AXES, m.count


def _below(view: View, source: Shape) -> Moves | None:
    """TRANSPOSE of the source's own axes, then a RESHAPE."""
    own = View.of(source)
    place = {axis[0].stride: i for i, axis in enumerate(own.axes) if axis}
    order: list[int] = []
    for atom in view.atoms:
        stride, axes = atom.stride, []
        while stride < atom.extent:
            if stride not in place:
                return None
            axes.append(place[stride])
            stride *= source[place[stride]]
        if stride != atom.extent:
            return None
        order += axes[::-1]
    perm = _with_units(order, source, view.shape)
    shape = tuple(source[axis] for axis in perm)
    return Moves(None, perm, None if shape == view.shape else view.shape)


def _above(view: View, source: Shape) -> Moves | None:
    """A RESHAPE, then TRANSPOSE to the result's own axes."""
    if any(len(axis) > 1 for axis in view.axes):
        return None
    result = view.shape
    wide = sorted((a for a, d in enumerate(result) if d > 1), key=lambda a: -_stride(view, a))
    order = iter(wide)
    back = tuple(next(order) if d > 1 else a for a, d in enumerate(result))
    shape = tuple(result[axis] for axis in back)
    perm = tuple(back.index(axis) for axis in range(len(result)))
    return Moves(None if shape == source else shape, perm)


def _between(view: View, source: Shape) -> Moves:
    atoms = view.atoms
    inner = sorted(range(len(atoms)), key=lambda i: -atoms[i].stride)
    before = (1, *(atoms[i].size for i in inner))
    perm = (0, *(inner.index(i) + 1 for i in range(len(atoms))))
    middle = (1, *(atom.size for atom in atoms))
    return Moves(
        None if before == source else before, perm, None if middle == view.shape else view.shape
    )


def _stride(view: View, axis: int) -> int:
    return view.axes[axis][0].stride


def _with_units(order: list[int], source: Shape, result: Shape) -> Perm:
    """The permutation that puts the wide axes in order, with axes of 1 where the result has
    them as far as that can be."""
    units = [axis for axis, d in enumerate(source) if d == 1]
    wide = [d for d in result if d > 1]
    fits = len(source) == len(result) and wide == [source[axis] for axis in order]
    if not fits:
        rest = iter(order)
        return tuple(next(rest) if d > 1 else axis for axis, d in enumerate(source))
    spare, rest = iter(units), iter(order)
    return tuple(next(rest) if d > 1 else next(spare) for d in result)


def _blocks(sizes: Shape, goal: Perm) -> Iterator[tuple[Shape, Perm]]:
    """Shapes of three blocks and permutations of these, of axes behind the batch's; in the end
    axis i is what was axis ``goal[i]``."""
    order = tuple(range(len(sizes)))
    for (first, second), blocks in block_moves(goal):
        parts = (order[:first], order[first:second], order[second:])
        extents = (math.prod(sizes[axis] for axis in part) for part in parts)
        yield (1, *extents), (0, *(block + 1 for block in blocks))
        order = sum((parts[block] for block in blocks), ())
