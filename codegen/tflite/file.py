"""A finished .tflite file, and what a reader of it has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorUse:
    """An operator that a runtime must have: ``name`` is that of TFLite's enumeration of builtin
    operators, or a custom operator's own; ``code`` is the builtin's number, 32 for custom ones."""

    name: str
    code: int
    custom: bool = False


@dataclass(frozen=True, eq=False)
class TfliteFile:
    """``data`` are the bytes of the file.

    ``indices`` has the index of every activation of the graph by name, and of every constant of the
    graph that went into the file. ``operators`` are in order of their first use. ``custom_nodes``
    names the nodes that became custom operators, ``lowered_nodes`` those that became several
    builtin ones at a cost in accuracy.
    """

    data: bytes
    indices: Mapping[str, int]
    operators: tuple[OperatorUse, ...]
    custom_nodes: tuple[str, ...] = ()
    lowered_nodes: tuple[str, ...] = ()

    @property
    def custom(self) -> tuple[str, ...]:
        """The names of the custom operators, in order of first use."""
        return tuple(use.name for use in self.operators if use.custom)
