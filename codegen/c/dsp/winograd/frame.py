"""What a tile block keeps on the stack."""

from __future__ import annotations

from dataclasses import dataclass

_SAVED = 36
"""Bytes of the registers below the arguments."""


@dataclass(frozen=True)
class Frame:
    """Offsets from the stack pointer. ``first`` and ``second`` are eight sums each, and follow
    each other."""

    planes: int = 8
    last_plane: int = 12
    end: int = 16
    run_end: int = 20
    back: int = 24
    constant: int = 28
    first: int = 32
    second: int = 64

    def out(self, row: int) -> int:
        """Where the codes of a row belong next."""
        return 4 * row

    @property
    def nbytes(self) -> int:
        size = self.second + 32
        return size + (size + _SAVED) % 8


FRAME = Frame()
