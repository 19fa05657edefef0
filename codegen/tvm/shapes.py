"""Shapes of tensors as loops see them."""

from __future__ import annotations

from math import prod

from tinyflow.ir import Shape


def as_pixels(shape: Shape) -> tuple[int, int]:
    """(pixels, channels): all axes but the last in one."""
    return prod(shape[:-1]), shape[-1]
