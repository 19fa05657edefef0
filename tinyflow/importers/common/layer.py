"""One operation of a source model, as the handlers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyflow.ir import Shape


class RefusalError(Exception):
    """A handler cannot translate a layer; the importer turns it into an `Obstacle`."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Layer:
    """``name`` is the source layer's name, or its first output's where it has none.

    An operand that is left out has the name ''. ``attributes`` holds what the source states,
    decoded to Python values; defaults are the handlers' business. ``shapes`` are those of the
    outputs where the source knows them. ``opset`` is the version of the source's operator set,
    where it has one.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    shapes: tuple[Shape, ...] = ()
    opset: int = 0

    def has(self, index: int) -> bool:
        """Whether the operand ``index`` is given."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self.attributes.get(name, default))

    def integer(self, name: str, default: int) -> int:
        return int(self.attributes.get(name, default))

    def number(self, name: str, default: float) -> float:
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        return str(self.attributes.get(name, default))

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list of integers; None where the source does not state it."""
        value = self.attributes.get(name)
        return None if value is None else tuple(int(v) for v in value)
