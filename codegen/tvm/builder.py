"""Writes the TensorIR of a layer, statement by statement.

    build = Builder(graph, node)
    with build:
        x, out = build.operand(0), build.result()
        with build.loop("i", 16) as i:
            build.store(out, x[i] + 1, i)
    return build.kernel()

Buffers are indexed as arrays of any rank; TVM makes one index of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

import numpy as np
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as script

from tinyflow.codegen.schedule import Overlap
from tinyflow.codegen.tvm.kernel import Argument, Kernel, Operand, Result, Table, Workspace
from tinyflow.ir import OPS, Graph, Node, Rounding

Expr = Any
"""An expression of TensorIR, a `tvm.tirx.Expr`."""
Buffer = Any
"""A buffer of TensorIR: indexing it reads an element."""


class Builder:
    """The function of one node; its statements stand inside ``with builder:``."""

    def __init__(self, graph: Graph, node: Node, overwrites: bool = False) -> None:
        self._graph = graph
        self._node = node
        self._overwrites = overwrites
        self._arguments: list[Argument] = []
        self._builder = IRBuilder()
        self._frames = ExitStack()

    def __enter__(self) -> Builder:
        self._frames.enter_context(self._builder)
        self._frames.enter_context(script.prim_func(s_tir=True))
        script.func_name(self._node.op.value.lower())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._frames.__exit__(kind, error, trace)

    @property
    def rounding(self) -> Rounding:
        """How the graph, which is quantized, rounds."""
        assert self._graph.rounding is not None
        return self._graph.rounding

    def kernel(self, overlap: Overlap | None = None) -> Kernel:
        """What was written; ``overlap`` is that of `Kernel`."""
        return Kernel(self._builder.get(), tuple(self._arguments), self._overwrites, overlap)

    def operand(self, index: int = 0, shape: Sequence[int] | None = None) -> Buffer:
        """An operand of the node, under another shape of as many elements if one is given."""
        tensor = self._graph.operands(self._node)[index]
        names = OPS[self._node.op].inputs
        name = names[min(index, len(names) - 1)].rstrip("?*")
        if names[-1].endswith("*"):
            name = f"{name}{index}"
        return self._argument(
            Operand(index, tensor.is_constant), name, shape or tensor.shape, tensor.dtype.value
        )

    def result(self, shape: Sequence[int] | None = None) -> Buffer:
        tensor = self._graph.result(self._node)
        return self._argument(Result(), "out", shape or tensor.shape, tensor.dtype.value)

    def table(self, role: str, data: np.ndarray) -> Buffer:
        """Constants of the layer; ``role`` is a C identifier."""
        return self._argument(Table(role, data), role, data.shape, data.dtype.name)

    def workspace(self, role: str, shape: Sequence[int], dtype: str) -> Buffer:
        """Memory of the layer's own, of the arena."""
        return self._argument(Workspace(tuple(shape), dtype), role, shape, dtype)

    def registers(self, name: str, count: int, dtype: str = "int32") -> Buffer:
        """Local variables ``name[0]`` to ``name[count - 1]``, indexed by numbers and by variables
        of `unrolled` loops only: they are no memory."""
        buffer = script.alloc_buffer((count,), dtype)
        IRBuilder.name(name, buffer)
        return buffer

    @contextmanager
    def loop(self, name: str, begin: Expr, end: Expr | None = None) -> Iterator[Expr]:
        """From 0 to ``begin``, or from ``begin`` to ``end``; the last one excluded."""
        first, last = (0, begin) if end is None else (begin, end)
        with script.serial(first, last) as variable:
            IRBuilder.name(name, variable)
            yield variable

    @contextmanager
    def unrolled(self, name: str, count: int) -> Iterator[Expr]:
        """A loop of which no loop is left in C."""
        with script.unroll(0, count) as variable:
            IRBuilder.name(name, variable)
            yield variable

    @contextmanager
    def when(self, condition: Expr) -> Iterator[None]:
        with script.If(condition), script.Then():
            yield

    def either(self, condition: Expr, then: Callable[[], None], other: Callable[[], None]) -> None:
        """``then`` and ``other`` write the statements of an if and of its else."""
        with script.If(condition):
            with script.Then():
                then()
            with script.Else():
                other()

    @contextmanager
    def repeat(self, condition: Expr) -> Iterator[None]:
        """As long as the condition holds; it must read a register or a buffer."""
        with script.While(condition):
            yield

    def let(self, name: str, value: Expr) -> Expr:
        """A local constant, computed once. TVM would put a bound expression back into the place of
        its name; what is read from a register stays."""
        register = self.registers(name, 1, str(value.expr_ty().dtype))
        self.store(register, value, 0)
        return register[0]

    def store(self, buffer: Buffer, value: Expr, *indices: Expr) -> None:
        script.buffer_store(buffer, value, list(indices))

    def _argument(self, argument: Argument, name: str, shape: Sequence[int], dtype: str) -> Buffer:
        self._arguments.append(argument)
        # A vector of no axes would be a scalar to TVM.
        return script.arg(name, script.buffer(tuple(shape) or (1,), dtype))
