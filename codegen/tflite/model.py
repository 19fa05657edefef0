"""What a .tflite file holds, as plain data: `flatbuffer` makes bytes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyflow.ir import Tensor


@dataclass(frozen=True)
class Options:
    """The options of a builtin operator: a table of TFLite's schema (``Conv2DOptions``) and its
    fields by name; what is not named has the schema's default."""

    table: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operator:
    """An operator by its name in TFLite's enumeration, or a custom one by its own.

    ``inputs`` and ``outputs`` are indices of tensors; -1 is an operand that is left out.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options | None = None
    custom: bytes | None = None
    """A custom operator's options."""


@dataclass(frozen=True, eq=False)
class Model:
    """One graph; ``inputs`` and ``outputs`` are names and indices of tensors."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
