"""One layer as the bindings of `tinyflow.codegen.c.ops` see it, and the kernel calls they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tinyflow.codegen.c.blocks import Block, BlockPool
from tinyflow.codegen.c.constants import ConstantArray, ConstantPool, Kind
from tinyflow.codegen.c.functions import Function, FunctionPool
from tinyflow.codegen.c.literals import Struct
from tinyflow.codegen.c.names import comment_text
from tinyflow.codegen.c.staging import Copy, Staging
from tinyflow.codegen.schedule import Schedule, Step, find_pieces, find_view
from tinyflow.ir import OPS, DType, Graph, Node, Shape, Tensor, as_nhwc

FieldLine = Mapping[str, int | str | Struct]
"""Fields of a parameter struct that share a line; text is a C expression."""


@dataclass(frozen=True)
class Rows:
    """A C variable that addresses rows: their data, bytes per row, and how many are held."""

    variable: str
    data: str
    stride: int
    ring: int


@dataclass(frozen=True)
class KernelCall:
    """A call of ``tinyflow_<kernel>_rows``: its parameters, its operands, its output rows, and
    the C expression of its working memory where it has some.

    ``header`` is the kernel's file in firmware/kernels, without its ending. ``copies`` are made
    before the call.
    """

    kernel: str
    fields: Sequence[FieldLine]
    inputs: tuple[Rows, ...]
    output: Rows
    rows: int
    scratch: str | None = None
    folder: str = ""
    copies: tuple[Copy, ...] = ()

    @property
    def header(self) -> str:
        return f"{self.folder}{self.kernel}"

    @property
    def takes_rows(self) -> bool:
        """Whether it takes parameters and row pointers, and computes as many rows as it is told."""
        return True

    def statement(self, variable: str, begin: int | str, end: int | str) -> str:
        """The call, for rows [begin, end) of the result, with its parameters in ``variable``."""
        return f"tinyflow_{self.kernel}_rows({self.arguments(variable, begin, end)});"

    def arguments(self, variable: str, begin: int | str, end: int | str) -> str:
        memory = [self.scratch] if self.scratch else []
        rows = [rows.variable for rows in self.inputs]
        return ", ".join([f"&{variable}", *rows, "out", *memory, str(begin), str(end)])

    @property
    def field_lines(self) -> list[str]:
        """The fields as lines of designated initializers."""
        return [", ".join(f".{k} = {v}" for k, v in line.items()) + "," for line in self.fields]


@dataclass(frozen=True)
class FunctionCall(KernelCall):
    """A call of a function of the model's own, ``kernel``, with ``pointers`` to everything that it
    reads and writes. It computes all rows at once."""

    pointers: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """Its minima and maxima."""
        return "requantize"

    @property
    def takes_rows(self) -> bool:
        return False

    def statement(self, variable: str, begin: int | str, end: int | str) -> str:
        return f"{self.kernel}({', '.join(self.pointers)});"


@dataclass(frozen=True)
class Layer:
    """A step of the schedule with one node.

    ``stem`` begins the C names of the layer's constants. With ``staging``, packed weights are
    read from copies there. Tensors in ``handed`` lie where the layer's function is told: it gets
    a pointer to each.
    """

    schedule: Schedule
    step: Step
    stem: str
    pool: ConstantPool
    blocks: BlockPool
    staging: Staging | None = None
    handed: frozenset[str] = frozenset()
    functions: FunctionPool = field(default_factory=FunctionPool)

    @property
    def graph(self) -> Graph:
        return self.schedule.graph

    @cached_property
    def node(self) -> Node:
        (node,) = self.step.nodes
        return node

    @property
    def attrs(self) -> Any:
        return self.node.attrs

    @property
    def form(self) -> Any:
        return self.node.integer

    @property
    def operands(self) -> list[Tensor]:
        return self.graph.operands(self.node)

    @property
    def result(self) -> Tensor:
        return self.graph.result(self.node)

    @property
    def roles(self) -> list[str]:
        """What each operand is called, as in the table of operations."""
        names = OPS[self.node.op].inputs
        if names[-1].endswith("*"):
            return [f"{names[0].rstrip('*')}{i}" for i in range(len(self.node.inputs))]
        return [name.rstrip("?") for name in names[: len(self.node.inputs)]]

    @property
    def is_view(self) -> bool:
        """Whether the result lies where a view of the first operand does: nothing has to move."""
        source, result = self.operands[0], self.result
        begin = find_view(self.graph, self.node)
        if begin is None or source.is_constant or {source.name, result.name} & self.handed:
            return False
        places = self.schedule.placements
        return places[result.name].offset == places[source.name].offset + begin

    def is_piece(self, index: int, begin: int) -> bool:
        """Whether an operand lies where the result's bytes from ``begin`` on do, all in one
        piece: nothing has to move."""
        operand, result = self.operands[index], self.result
        possible = find_pieces(self.graph, self.node)[index] == begin
        if not possible or operand.is_constant or {operand.name, result.name} & self.handed:
            return False
        places = self.schedule.placements
        return places[operand.name].offset == places[result.name].offset + begin

    def table(self, role: str, data: np.ndarray) -> str:
        """Keeps a table of this layer among the constants; its symbol."""
        return self._constant(role, Kind.TABLE, data, None)

    def weight(self, index: int) -> str:
        """Keeps a constant operand among the constants; its symbol."""
        tensor = self.operands[index]
        return self._constant(self.roles[index], Kind.WEIGHT, tensor.value, tensor.name)

    def packed_weight(self, role: str, data: np.ndarray, table_words: int) -> str:
        """Keeps weights that were put in another order or width for one kernel; the C expression
        by which it reads them.

        ``data`` is int32 [rows, words]; ``table_words`` of each row are no weights but biases
        and constants of the requantization.
        """
        table_bytes = table_words * data.shape[0] * data.itemsize
        symbol = self._constant(role, Kind.WEIGHT, data, None, table_bytes)
        if self.staging is None:
            return symbol
        return self.staging.add(symbol, DType(data.dtype.name).c_type, data.nbytes)

    def block(self, block: Block) -> str:
        """Keeps an assembly block; its symbol."""
        return self.blocks.add(block)

    def function(self, function: Function) -> str:
        """Keeps a function of the model's own; its symbol."""
        return self.functions.add(
            function, f"  step {self.step.index}: {comment_text(self.node.name)}"
        )

    @property
    def scratch(self) -> str:
        """The C expression of the layer's working memory."""
        return address("arena", self.schedule.scratch[self.node.name].offset)

    def _constant(
        self, role: str, kind: Kind, data: np.ndarray, tensor: str | None, table_bytes: int = 0
    ) -> str:
        title = f"{comment_text(self.node.name)}: {role}"
        array = ConstantArray(f"{self.stem}_{role}", title, kind, data, table_bytes)
        return self.pool.add(array, tensor)

    def input_rows(self, index: int = 0, view: Shape | None = None) -> Rows:
        """The rows of an operand; ``view`` is the NHWC shape under which the kernel sees it."""
        tensor = self.operands[index]
        if not tensor.is_constant:
            return self._rows(self.roles[index], tensor, view)
        _, height, width, channels = view or as_nhwc(tensor.shape)
        return Rows(self.roles[index], self.weight(index), width * channels, height)

    def output_rows(self, view: Shape | None = None) -> Rows:
        return self._rows("out", self.result, view)

    def _rows(self, variable: str, tensor: Tensor, view: Shape | None) -> Rows:
        own_height = as_nhwc(tensor.shape)[1]
        _, height, width, channels = view or as_nhwc(tensor.shape)
        stride = width * channels * tensor.dtype.itemsize
        if tensor.name in self.handed:
            return Rows(variable, pointer_of(variable), stride, height)
        placement = self.schedule.placements[tensor.name]
        ring = height if placement.ring >= own_height else placement.ring
        return Rows(variable, address("arena", placement.offset), stride, ring)

    def call(
        self,
        kernel: str,
        fields: Sequence[FieldLine],
        inputs: Sequence[Rows] | None = None,
        output: Rows | None = None,
        rows: int | None = None,
        scratch: str | None = None,
        folder: str = "",
    ) -> KernelCall:
        """A call that reads the first operand and writes all rows of the result, if not told
        otherwise. ``folder`` is where below firmware/kernels the kernel lies, such as dsp/."""
        return KernelCall(
            kernel,
            fields,
            tuple(inputs) if inputs is not None else (self.input_rows(),),
            output or self.output_rows(),
            rows or as_nhwc(self.result.shape)[1],
            scratch,
            folder,
        )


def pointer_of(role: str) -> str:
    """The parameter by which a layer's function gets the rows of an operand or of its result."""
    return f"{role}_data"


def address(base: str, offset: int) -> str:
    """The C expression of ``base`` moved by ``offset`` elements."""
    return f"{base} + {offset}" if offset else base


def spread(values: Sequence[int], fill: int) -> tuple[int, int, int]:
    """Per-axis values of a tensor, batch included, as (row, pixel, channel); ``fill`` stands for
    an axis that the tensor does not have. The counterpart of `as_nhwc`."""
    rank = len(values)
    if rank <= 2:
        return (fill, fill, values[-1] if values else fill)
    return (values[1], fill if rank == 3 else values[2], values[-1])
