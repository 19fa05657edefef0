"""A layer as TensorIR: one function, and what each of its buffers stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from tinyflow.codegen.schedule import Overlap
from tinyflow.ir import Graph, Node


@dataclass(frozen=True)
class Operand:
    """The node's operand of this index: an activation in the arena, or a constant."""

    index: int
    constant: bool = False


@dataclass(frozen=True, eq=False)
class Table:
    """A constant that quantization attached to the node, or that was made of some: ``data`` is
    kept with the model's constants under a name that ends in ``role``."""

    role: str
    data: np.ndarray


@dataclass(frozen=True)
class Result:
    """The tensor that the node computes."""


@dataclass(frozen=True)
class Workspace:
    """Memory of the arena that is the function's own while it runs."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * np.dtype(self.dtype).itemsize


Argument = Operand | Table | Result | Workspace


@dataclass(frozen=True, eq=False)
class Kernel:
    """``function`` is a `tvm.tirx.PrimFunc` whose parameters are buffers, one for each entry of
    ``arguments``. One that ``overwrites`` may have its result in the very place of its first
    operand. ``overlap`` says which other places may share bytes with that operand, as in
    `tinyflow.codegen.schedule.Demand`. Without either, no buffer that is written shares bytes with
    another one."""

    function: Any
    arguments: tuple[Argument, ...]
    overwrites: bool = False
    overlap: Overlap | None = None

    @property
    def shares_bytes(self) -> bool:
        """Whether the result may share bytes with an operand."""
        return self.overwrites or self.overlap is not None


Lowering = Callable[[Graph, Node], Kernel]
"""The TensorIR of a quantized node."""
