"""The algebra of views: what RESHAPE, TRANSPOSE and SLICE do to positions in a source.

The source is a flat row of elements. An axis of a view is a product of atoms, outermost first;
atoms are the factors into which the shapes of a chain cut the axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from tinyflow.ir import Shape


@dataclass(frozen=True)
class Atom:
    """``size`` (more than 1) steps of ``stride`` elements of the source."""

    size: int
    stride: int

    @property
    def extent(self) -> int:
        """What one step of an atom that holds this one would be."""
        return self.size * self.stride


Atoms = tuple[Atom, ...]


@dataclass(frozen=True)
class View:
    """A tensor whose element at an index is the source's at ``offset`` plus the atoms' steps.

    Atoms that continue one another within an axis are one, so that equal views are equal objects.
    """

    axes: tuple[Atoms, ...]
    offset: int = 0

    @classmethod
    def of(cls, shape: Shape) -> View:
        """The source itself."""
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        pairs = zip(shape, strides, strict=True)
        return cls(tuple((Atom(d, stride),) if d > 1 else () for d, stride in pairs))

    @classmethod
    def grouped(cls, axes: Iterable[Iterable[Atom]], offset: int = 0) -> View:
        """From atoms that may continue one another."""
        return cls(tuple(merged(axis) for axis in axes), offset)

    @property
    def shape(self) -> Shape:
        return tuple(math.prod(atom.size for atom in axis) for axis in self.axes)

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def atoms(self) -> Atoms:
        """All atoms in the view's own order, joined across axes where they continue."""
        return merged(chain.from_iterable(self.axes))

    @property
    def is_in_order(self) -> bool:
        """Whether the view's elements are a whole source's in the source's order."""
        atoms = self.atoms
        in_one = not atoms or (len(atoms) == 1 and atoms[0].stride == 1)
        return self.offset == 0 and in_one

    def transpose(self, perm: Sequence[int]) -> View:
        """As NumPy's: axis i of the result is axis ``perm[i]``."""
        return View(tuple(self.axes[axis] for axis in perm), self.offset)

    def reshape(self, shape: Shape) -> View | None:
        """As NumPy's; None where an axis of the result is no product of atoms."""
        if math.prod(shape) != self.elements:
            return None
        left = list(self.atoms)[::-1]
        axes = []
        for size in shape:
            taken = _take(left, size)
            if taken is None:
                return None
            axes.append(taken)
        return View.grouped(axes, self.offset)

    def slice(
        self, begin: Sequence[int], end: Sequence[int], strides: Sequence[int]
    ) -> View | None:
        """The box ``begin:end:strides``; None where it cuts an axis inside its inner atoms."""
        offset = self.offset
        axes = []
        for axis, b, e, s in zip(self.axes, begin, end, strides, strict=True):
            size = math.prod(atom.size for atom in axis)
            if (b, e, s) == (0, size, 1):
                axes.append(axis)
                continue
            if not axis:
                return None
            outer, inner = axis[0], size // axis[0].size
            if inner > 1 and (b % inner or e % inner or s != 1):
                return None
            b, e = b // inner, -(-e // inner)
            count = -(-(e - b) // s)
            offset += b * outer.stride
            kept = (Atom(count, s * outer.stride),) if count > 1 else ()
            axes.append((*kept, *axis[1:]))
        return View.grouped(axes, offset)

    def then(self, view: View) -> View | None:
        """The one view that equals this one seen through ``view``, which takes all of it."""
        found = [self._at(atom) for axis in view.axes for atom in axis]
        if view.offset or any(f is None for f in found):
            return None
        pieces = iter(found)
        axes = [[piece for _ in axis for piece in next(pieces) or ()] for axis in view.axes]
        return View.grouped(axes, self.offset)

    def inverse(self, shape: Shape) -> View | None:
        """The source of that shape, seen as a view of this one; None where it is not the whole
        source or an axis of ``shape`` is no product of atoms."""
        if self.offset or self.elements != math.prod(shape):
            return None
        own = zip(self.flat, View.of(tuple(atom.size for atom in self.flat)).flat, strict=True)
        back = [step for _, step in sorted(own, key=lambda pair: -pair[0].stride)]
        left = list(merged(back))[::-1]
        axes = []
        for size in shape:
            taken = _take(left, size)
            if taken is None:
                return None
            axes.append(taken)
        return View.grouped(axes)

    @property
    def flat(self) -> Atoms:
        """All atoms in the view's own order, cut at its axes."""
        return tuple(chain.from_iterable(self.axes))

    def indices(self) -> np.ndarray:
        """The position in the source of each element, int64 in the view's shape."""
        where = np.full((), self.offset, dtype=np.int64)
        for atom in self.flat:
            where = where[..., np.newaxis] + np.arange(atom.size, dtype=np.int64) * atom.stride
        return where.reshape(self.shape)

    def _at(self, atom: Atom) -> Atoms | None:
        """An atom of this view's flattened elements as atoms of the source."""
        left = list(self.atoms)[::-1]
        inner = _take_inner(left, atom.stride)
        return _take_inner(left, atom.size) if inner is not None else None


def merged(atoms: Iterable[Atom]) -> Atoms:
    """Atoms in order, those that continue one another joined."""
    result: list[Atom] = []
    for atom in atoms:
        if result and result[-1].stride == atom.extent:
            result[-1] = Atom(result[-1].size * atom.size, atom.stride)
        else:
            result.append(atom)
    return tuple(result)


def _take(left: list[Atom], size: int) -> list[Atom] | None:
    """Removes atoms with a product of ``size`` from the outer end, the last of the list."""
    taken: list[Atom] = []
    while size > 1:
        if not left:
            return None
        atom = left.pop()
        if size % atom.size == 0:
            taken.append(atom)
            size //= atom.size
        elif atom.size % size == 0:
            inner = atom.size // size
            taken.append(Atom(size, atom.stride * inner))
            left.append(Atom(inner, atom.stride))
            size = 1
        else:
            return None
    return taken


def _take_inner(left: list[Atom], size: int) -> Atoms | None:
    """As `_take`, from the inner end, the first of the list."""
    taken: list[Atom] = []
    while size > 1:
        if not left:
            return None
        atom = left.pop(0)
        if size % atom.size == 0:
            taken.append(atom)
            size //= atom.size
        elif atom.size % size == 0:
            taken.append(Atom(size, atom.stride))
            left.insert(0, Atom(atom.size // size, atom.stride * size))
            size = 1
        else:
            return None
    return tuple(taken[::-1])
