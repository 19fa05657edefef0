"""C functions that were made for the shape of a layer.

Such a function computes a whole layer from pointers to its operands, its constants and its result.
Layers whose functions are equal share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    """``stem`` begins the C name, and says what the function computes. ``parameters`` are C
    declarations, ``body`` lines of C without the outer braces. ``comment`` stands above; functions
    that differ in nothing else are equal."""

    stem: str
    parameters: tuple[str, ...]
    body: tuple[str, ...]
    comment: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class PlacedFunction:
    """``users`` name the layers that call it."""

    symbol: str
    function: Function
    users: tuple[str, ...]

    @property
    def comment(self) -> tuple[str, ...]:
        return (*self.function.comment, *self.users)


class FunctionPool:
    """The functions of a model, each once."""

    def __init__(self) -> None:
        self._symbols: dict[Function, str] = {}
        self._users: dict[Function, dict[str, None]] = {}

    def add(self, function: Function, user: str) -> str:
        """The symbol of a function; equal ones get the same. ``user`` names the layer."""
        self._users.setdefault(function, {})[user] = None
        if function not in self._symbols:
            taken = sum(other.stem == function.stem for other in self._symbols)
            self._symbols[function] = f"{function.stem}_v{taken}" if taken else function.stem
        return self._symbols[function]

    @property
    def placed(self) -> Sequence[PlacedFunction]:
        return [
            PlacedFunction(symbol, function, tuple(self._users[function]))
            for function, symbol in self._symbols.items()
        ]
