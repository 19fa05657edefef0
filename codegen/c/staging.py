"""Weights that a layer copies from flash to its working memory before it reads them many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyflow.codegen.schedule.alignment import align


@dataclass(frozen=True)
class Copy:
    """``symbol`` names the constant, ``target`` is the C expression of where it goes."""

    symbol: str
    target: str
    nbytes: int


@dataclass
class Staging:
    """The part of a layer's working memory that holds weights: ``offset`` bytes from the arena's
    start. ``copies`` grows with each constant that is put there."""

    offset: int
    copies: list[Copy] = field(default_factory=list)

    def add(self, symbol: str, c_type: str, nbytes: int) -> str:
        """The C expression by which a kernel reads the copy."""
        begin = self.offset + sum(align(copy.nbytes) for copy in self.copies)
        target = f"arena + {begin}"
        self.copies.append(Copy(symbol, target, nbytes))
        return f"(const {c_type} *)(const void *)({target})"


def staged_bytes(copies: Sequence[int]) -> int:
    """Working memory for copies of these sizes."""
    return sum(map(align, copies))
