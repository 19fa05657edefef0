"""Loops in steps of a few elements, whose sums are kept in registers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr


def tiles(
    build: Builder, name: str, count: int, tile: int
) -> Iterator[tuple[AbstractContextManager[Expr], int]]:
    """Pairs of a loop, whose variable is the first element of a tile, and the tile's width: one
    for all whole tiles, one for what is left."""
    whole = count - count % tile
    if whole:
        yield _steps(build, name, whole, tile), tile
    if whole < count:
        yield nullcontext(whole), count - whole


@contextmanager
def _steps(build: Builder, name: str, whole: int, tile: int) -> Iterator[Expr]:
    with build.loop(name, whole // tile) as step:
        yield step * tile


def product_sums(
    build: Builder,
    width: int,
    start: Expr,
    run: tuple[str, int],
    factor: Callable[[Expr], Expr],
    other: Callable[[Expr, int], Expr],
) -> Buffer:
    """``width`` sums side by side, in registers: of ``start`` and of the products of ``factor(k)``
    and ``other(k, n)`` in sum n, all int32. ``run`` names k, and says how many there are."""
    sums = build.registers("sum", width)
    for n in range(width):
        build.store(sums, start, n)
    with build.loop(*run) as k:
        common = build.let("factor", factor(k))
        for n in range(width):
            build.store(sums, sums[n] + common * other(k, n), n)
    return sums
