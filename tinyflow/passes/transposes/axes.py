"""Arithmetic of axis orders.

The data of a tensor is moved only where axes of more than one element change their order: the
others can be put anywhere by a RESHAPE, which costs nothing at run time.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.ir import Shape

Perm = tuple[int, ...]
"""Axis ``i`` of the result is axis ``perm[i]`` of the source."""

Layout = tuple[int | None, ...]
"""As a `Perm` that holds every axis; None is a new axis of 1."""


def compose(first: Sequence[int], second: Sequence[int]) -> Perm:
    """The one permutation that equals ``first`` followed by ``second``."""
    return tuple(first[axis] for axis in second)


def inverse(perm: Sequence[int]) -> Perm:
    return tuple(sorted(range(len(perm)), key=lambda i: perm[i]))


def is_identity(perm: Sequence[int | None]) -> bool:
    return list(perm) == list(range(len(perm)))


def wide(shape: Sequence[int]) -> list[int]:
    """The axes of more than one element."""
    return [axis for axis, size in enumerate(shape) if size > 1]


def moves_nothing(shape: Shape, order: Sequence[int | None]) -> bool:
    """Whether putting the axes of ``shape`` in ``order`` leaves every element in its place."""
    kept = [axis for axis in order if axis is not None and shape[axis] > 1]
    return kept == sorted(kept)


def only_units_differ(a: Shape, b: Shape) -> bool:
    """Whether a RESHAPE between the two shapes only adds or drops axes of 1."""
    return [d for d in a if d > 1] == [d for d in b if d > 1]


def relaid(shape: Shape, layout: Layout) -> Shape:
    return tuple(1 if axis is None else shape[axis] for axis in layout)


def align(source: Shape, result: Shape) -> Layout:
    """For each axis of ``result`` its axis in ``source``, where only axes of 1 differ.

    Between two wide axes, axes of 1 are matched from the left and surplus ones are new.
    """
    matches: list[int | None] = [None] * len(result)
    left = (-1, -1)
    ends = [*zip(wide(source), wide(result), strict=True), (len(source), len(result))]
    for at_source, at_result in ends:
        units = zip(range(left[0] + 1, at_source), range(left[1] + 1, at_result), strict=False)
        for unit_source, unit_result in units:
            matches[unit_result] = unit_source
        if at_result < len(result):
            matches[at_result] = at_source
        left = (at_source, at_result)
    return tuple(matches)
