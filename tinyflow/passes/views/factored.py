"""A stored tensor and how it is seen, cut into their common atoms."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import Shape
from tinyflow.passes.views.view import Atom, Atoms, View

Ids = tuple[int, ...]
"""Numbers of atoms; they count from the outermost one of the stored tensor."""


@dataclass(frozen=True)
class Factored:
    """``sizes`` of the atoms, and for each axis of the tensor as it is stored and as it is seen
    the atoms that it consists of, outermost first."""

    sizes: tuple[int, ...]
    stored: tuple[Ids, ...]
    seen: tuple[Ids, ...]

    @classmethod
    def of(cls, view: View, stored: Shape) -> Factored | None:
        """Of a view of all of a tensor; None where an atom does not divide into its axes."""
        marks = sorted({axis[0].stride for axis in View.of(stored).axes if axis})
        seen = [[cut(atom, marks) for atom in axis] for axis in view.axes]
        if any(pieces is None for axis in seen for pieces in axis):
            return None
        flat = [[atom for pieces in axis for atom in pieces or ()] for axis in seen]
        order = sorted((atom for axis in flat for atom in axis), key=lambda a: -a.stride)
        number = {atom: i for i, atom in enumerate(order)}
        axes, left = [], list(range(len(order)))
        for size in stored:
            ids = []
            while size > 1:
                ids.append(left.pop(0))
                size //= order[ids[-1]].size
            axes.append(tuple(ids))
        return cls(
            tuple(atom.size for atom in order),
            tuple(axes),
            tuple(tuple(number[atom] for atom in axis) for axis in flat),
        )

    @property
    def stored_shape(self) -> Shape:
        return tuple(self.product(ids) for ids in self.stored)

    @property
    def seen_shape(self) -> Shape:
        return tuple(self.product(ids) for ids in self.seen)

    def product(self, ids: Collection[int]) -> int:
        return math.prod(self.sizes[i] for i in ids)

    def view(self) -> View:
        """The stored tensor as it is seen."""
        strides = [math.prod(self.sizes[i + 1 :]) for i in range(len(self.sizes))]
        atoms = [Atom(d, stride) for d, stride in zip(self.sizes, strides, strict=True)]
        return View.grouped([[atoms[i] for i in ids] for ids in self.seen])

    def stored_axis(self, seen_axis: int) -> int | None:
        """The stored axis that is this one; None where the two differ or have one element."""
        ids = self.seen[seen_axis]
        return self.stored.index(ids) if ids and ids in self.stored else None

    def resized(self, ids: Ids, size: int) -> Factored:
        """With the atoms of one axis, or the last ones of one, replaced by one of ``size``."""
        if not ids:
            raise ValueError("no atoms to replace")
        new = ids[:1] if size > 1 else ()
        kept = [i for i in range(len(self.sizes)) if i not in ids or i in new]
        number = {old: i for i, old in enumerate(kept)}

        def renumbered(axis: Ids) -> Ids:
            return tuple(number[i] for i in axis if i in number)

        sizes = tuple(size if i in new else self.sizes[i] for i in kept)
        return Factored(
            sizes,
            tuple(renumbered(axis) for axis in self.stored),
            tuple(renumbered(axis) for axis in self.seen),
        )

    def broadcast(self, seen: Shape) -> Factored | None:
        """The same for a tensor that broadcasts to this one, seen with the shape ``seen``.

        None where a stored axis would have to broadcast in part.
        """
        seen = (1,) * (len(self.seen) - len(seen)) + tuple(seen)
        pairs = zip(self.seen, seen, strict=True)
        dropped = {i for ids, size in pairs if size == 1 for i in ids}
        for ids in self.stored:
            if 0 < len(dropped.intersection(ids)) < len(ids):
                return None
        result = self
        for i in sorted(dropped, reverse=True):
            result = result.resized((i,), 1)
        return result

    def to_stored(self, source: View) -> View | None:
        """A view whose elements come in the order as seen, brought into stored order."""
        order = [i for ids in self.seen for i in ids]
        flat = source.reshape(tuple(self.sizes[i] for i in order))
        if flat is None:
            return None
        flat = flat.transpose([order.index(i) for i in range(len(order))])
        return flat.reshape(self.stored_shape)

    def stored_array(self, array: np.ndarray) -> np.ndarray:
        """As `to_stored`, of an array."""
        order = [i for ids in self.seen for i in ids]
        flat = array.reshape([self.sizes[i] for i in order])
        flat = flat.transpose([order.index(i) for i in range(len(order))])
        return np.ascontiguousarray(flat).reshape(self.stored_shape)


def cut(atom: Atom, marks: Sequence[int]) -> Atoms | None:
    """The atom cut where axes of the stored tensor begin, outermost piece first."""
    strides = [atom.stride, *(m for m in marks if atom.stride < m < atom.extent)]
    ends = [*strides[1:], atom.extent]
    if any(end % stride for stride, end in zip(strides, ends, strict=True)):
        return None
    pieces = [Atom(e // s, s) for s, e in zip(strides, ends, strict=True)]
    return tuple(pieces[::-1])
