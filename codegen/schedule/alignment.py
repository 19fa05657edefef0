"""The grain of the arena."""

from __future__ import annotations

ALIGNMENT = 16
"""Bytes. Every buffer's offset and the arena's size are multiples of it."""


def align(nbytes: int) -> int:
    """``nbytes`` rounded up to a multiple of `ALIGNMENT`."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def align_down(offset: int) -> int:
    """``offset`` rounded down to a multiple of `ALIGNMENT`."""
    return offset // ALIGNMENT * ALIGNMENT
