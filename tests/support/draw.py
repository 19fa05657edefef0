"""One way to draw random decisions, whether hypothesis or a seed makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

T = TypeVar("T")


class Draw(Protocol):
    rng: np.random.Generator
    """For bulk data, which hypothesis need not shrink."""

    def integer(self, lo: int, hi: int) -> int:
        """Uniform, both ends included; shrinks toward ``lo``."""
        ...

    def choice(self, options: Sequence[T]) -> T:
        """One of ``options``; shrinks toward the first."""
        ...


class SeededDraw:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def integer(self, lo: int, hi: int) -> int:
        return int(self.rng.integers(lo, hi + 1))

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]


class HypothesisDraw:
    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def integer(self, lo: int, hi: int) -> int:
        return int(self.draw(st.integers(lo, hi)))

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]
