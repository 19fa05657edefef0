"""Operations that only move elements: where each element of the result comes from, or where each
element of an operand goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node, Shape

Indices = Sequence[Expr]


@contextmanager
def nest(build: Builder, shape: Shape) -> Iterator[list[Expr]]:
    """A loop for each axis, the last one innermost; the indices of an element."""
    with ExitStack() as loops:
        yield [loops.enter_context(build.loop(f"i{axis}", size)) for axis, size in enumerate(shape)]


def gather(graph: Graph, node: Node, source: Callable[[Indices], Indices]) -> Kernel:
    """Each element of the result from the first operand's at ``source(its indices)``."""
    build = Builder(graph, node)
    with build:
        x, out = build.operand(), build.result()
        with nest(build, graph.result(node).shape) as indices:
            build.store(out, x[tuple(source(indices))], *indices)
    return build.kernel()
