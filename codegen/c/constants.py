"""The constant arrays of a model: what they are called, and their text or bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinyflow.ir import DType

_COLUMNS = {1: 16, 2: 12, 4: 8}
"""Values per line of text, by bytes of an element."""


class Kind(Enum):
    """What an array counts as in the report."""

    WEIGHT = "weight"
    TABLE = "table"


@dataclass(frozen=True, eq=False)
class ConstantArray:
    """``symbol`` is the C name, ``title`` says in words whose and what the array is.

    A kernel may read weights and tables as one stream: then ``table_bytes`` of an array of
    weights are biases and constants of the requantization.
    """

    symbol: str
    title: str
    kind: Kind
    data: np.ndarray
    table_bytes: int = 0

    @property
    def c_type(self) -> str:
        return DType(self.data.dtype.name).c_type

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes)

    def bytes_of(self, kind: Kind) -> int:
        """What the array adds to the weights or to the tables of the report."""
        own = self.nbytes - self.table_bytes if self.kind is kind else 0
        return own + (self.table_bytes if kind is Kind.TABLE else 0)

    @property
    def shape_text(self) -> str:
        return f"{self.data.dtype.name} [{','.join(map(str, self.data.shape))}]"

    @property
    def declaration(self) -> str:
        return f"const {self.c_type} {self.symbol}[{self.data.size}]"

    def lines(self) -> Iterator[str]:
        """The values, a fixed number per line."""
        values = [str(v) for v in self.data.ravel().tolist()]
        width = max(map(len, values))
        columns = _COLUMNS[self.data.itemsize]
        for start in range(0, len(values), columns):
            yield ", ".join(v.rjust(width) for v in values[start : start + columns]) + ","


class ConstantPool:
    """Collects arrays in the order of the layers. A weight that two layers read is kept once."""

    def __init__(self) -> None:
        self.arrays: list[ConstantArray] = []
        self._symbols: dict[str, str] = {}

    def add(self, array: ConstantArray, tensor: str | None = None) -> str:
        """Keeps an array; ``tensor`` names the graph's constant that it holds. Its symbol."""
        if tensor is not None and tensor in self._symbols:
            return self._symbols[tensor]
        self.arrays.append(array)
        if tensor is not None:
            self._symbols[tensor] = array.symbol
        return array.symbol

    def nbytes(self, kind: Kind, first: int = 0) -> int:
        """Bytes of one kind in the arrays from number ``first`` on."""
        return sum(a.bytes_of(kind) for a in self.arrays[first:])
