"""CROSS_COVARIANCE, head by head: products of channels become scores and then shares, in the same
memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import clamp, narrow, wide
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.inverse_root import inverse_root, unsigned
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.codegen.tvm.shares import DecayExpr, Mean, mean_code, mean_of, power_table, shares
from tinyflow.codegen.tvm.tiles import product_sums, tiles
from tinyflow.ir import Graph, Node

_INT32_MIN = -(1 << 31)
_TILE = 4
"""Channels of keys for which sums are kept in registers at a time."""


@dataclass(frozen=True)
class _Codes:
    """An operand [tokens, heads, depth] and its zero point."""

    buffer: Buffer
    zero: int

    def at(self, n: Expr, h: Expr, c: Expr) -> Expr:
        """Less the zero point, int32."""
        return narrow(self.buffer[n, h, c]) - self.zero


@dataclass(frozen=True)
class _Work:
    """What is kept of a head: its ``rows`` of shares, the factor and shift of each, and the norm
    of each channel of keys."""

    rows: Buffer
    factors: Buffer
    shifts: Buffer
    roots: Buffer
    halves: Buffer


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    attrs: Any = node.attrs
    result = graph.result(node)
    tokens, channels = as_pixels(result.shape)
    depth = channels // attrs.heads
    shape = (tokens, attrs.heads, depth)
    build = Builder(graph, node)
    with build:
        q, k, v = (
            _Codes(build.operand(i, shape), graph.operands(node)[i].params.zero_point)
            for i in range(3)
        )
        out = build.result(shape)
        multipliers = build.table("multiplier", form.multiplier)
        shifts = build.table("shift", form.shift)
        powers = power_table(build)
        work = _Work(
            build.workspace("rows", (depth, depth), "int32"),
            build.workspace("factors", (depth,), "int32"),
            build.workspace("shifts", (depth,), "int32"),
            build.workspace("roots", (depth,), "int32"),
            build.workspace("halves", (depth,), "int32"),
        )
        with build.loop("h", attrs.heads) as h:
            _keys(build, k, h, shape, form.least_k, work)
            temperature = build.let("temperature", multipliers[h])
            with build.loop("i", depth) as i:
                _products(build, q, k, (h, i), shape, work.rows)
                decay = _row_decay(
                    build, temperature, shifts[h], _norm(build, q, (h, i), tokens, form.least_q)
                )
                largest = _scores(build, temperature, i, depth, work)
                total = shares(build, (work.rows, (i,)), depth, largest, decay, form.spare, powers)
                mean = mean_of(build, total, form.output)
                build.store(work.factors, mean.factor, i)
                build.store(work.shifts, mean.shift, i)
            _mix(build, v, h, shape, work, out, result.params.zero_point)
    return build.kernel()


def _keys(
    build: Builder,
    k: _Codes,
    h: Expr,
    shape: tuple[int, int, int],
    least: int,
    work: _Work,
) -> None:
    """The norms of all channels of the keys of a head."""
    tokens, _, depth = shape
    with build.loop("j", depth) as j:
        root, half = _norm(build, k, (h, j), tokens, least)
        build.store(work.roots, narrow(root), j)
        build.store(work.halves, half, j)


def _norm(
    build: Builder, x: _Codes, at: tuple[Expr, Expr], tokens: int, least: int
) -> tuple[Expr, Expr]:
    """(root, half): ``root / 2**(45 + half)`` is one over the norm of a channel, or over the least
    one. The root is uint32."""
    h, c = at
    squares = build.registers("squares", 1)
    build.store(squares, 0, 0)
    with build.loop("n", tokens) as n:
        value = build.let("value", x.at(n, h, c))
        build.store(squares, squares[0] + value * value, 0)
    leading, half = build.registers("leading", 1, "uint32"), build.registers("half", 1)
    build.store(leading, narrow(tirx.max(squares[0], least), "uint32"), 0)
    build.store(half, 0, 0)
    with build.repeat(leading[0] < unsigned(1 << 30)):
        build.store(leading, leading[0] << unsigned(2), 0)
        build.store(half, half[0] - 1, 0)
    return inverse_root(build, leading[0]), half[0]


def _row_decay(
    build: Builder, temperature: Expr, shift: Expr, norm: tuple[Expr, Expr]
) -> DecayExpr:
    """Of the scores of a channel of the queries, from its norm."""
    root, half = norm
    size = tirx.max(temperature, -temperature)
    product = build.let("product", size.astype("uint64") * root.astype("uint64"))
    low = build.let("low", (product < tirx.const(1 << 60, "uint64")).astype("int32"))
    left = build.let("left", narrow(shift) - 4 - half - low)
    kept = narrow(product >> (30 - low).astype("uint64"), "uint32")
    right = narrow(clamp(-left, 0, 31), "uint32")
    multiplier = tirx.Select(left > 31, unsigned(1 << 30), kept >> right)
    up = build.let("up", narrow(clamp(left, 0, 31), "uint32"))
    limit = build.let("limit", unsigned(1) << (unsigned(31) - up))
    return DecayExpr(build.let("multiplier", multiplier), up, limit)


def _products(
    build: Builder,
    q: _Codes,
    k: _Codes,
    at: tuple[Expr, Expr],
    shape: tuple[int, int, int],
    rows: Buffer,
) -> None:
    """Of a channel of the queries by all channels of the keys."""
    h, i = at
    tokens, _, depth = shape
    for j, width in tiles(build, "j", depth, _TILE):
        with j as first:
            sums = product_sums(
                build,
                width,
                0,
                ("n", tokens),
                lambda n: q.at(n, h, i),
                lambda n, t: k.at(n, h, first + t),
            )
            for t in range(width):
                build.store(rows, sums[t], i, first + t)


def _scores(build: Builder, temperature: Expr, i: Expr, depth: int, work: _Work) -> Expr:
    """Products over the norms of the keys, with 14 fractional bits and the temperature's sign, in
    their place; the largest one."""
    largest = build.registers("largest", 1)
    build.store(largest, _INT32_MIN, 0)
    with build.loop("j", depth) as j:
        root = wide(work.roots[j])
        signed = tirx.Select(temperature < 0, -root, root)
        product = wide(work.rows[i, j]) * signed
        score = build.let("score", narrow(product >> wide(work.halves[j] + 31)))
        build.store(work.rows, score, i, j)
        build.store(largest, tirx.max(largest[0], score), 0)
    return largest[0]


def _mix(
    build: Builder,
    v: _Codes,
    h: Expr,
    shape: tuple[int, int, int],
    work: _Work,
    out: Buffer,
    zero: int,
) -> None:
    """A head's part of every token."""
    tokens, _, depth = shape
    with build.loop("n", tokens) as n, build.loop("i", depth) as i:
        total = build.registers("total", 1)
        build.store(total, 0, 0)
        with build.loop("j", depth) as j:
            build.store(total, total[0] + work.rows[i, j] * v.at(n, h, j), 0)
        mean = Mean(work.factors[i], work.shifts[i])
        build.store(out, mean_code(total[0], mean, zero), n, h, i)
