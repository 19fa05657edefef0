"""ATTENTION, one query of a head at a time: its scores become shares, in the same memory."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import narrow
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.inverse_root import unsigned
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.shapes import as_pixels
from tinyflow.codegen.tvm.shares import DecayExpr, Mean, mean_code, mean_of, power_table, shares
from tinyflow.codegen.tvm.tiles import product_sums, tiles
from tinyflow.ir import Graph, Node

_INT32_MIN = -(1 << 31)
_TILE = 4
"""Keys, and channels of values, for which sums are kept in registers at a time."""


def lower(graph: Graph, node: Node) -> Kernel:
    form: Any = node.integer
    attrs: Any = node.attrs
    q, k, v = graph.operands(node)
    heads = attrs.heads
    queries, keys = as_pixels(q.shape)[0], as_pixels(k.shape)[0]
    depth, columns = q.shape[-1] // heads, v.shape[-1] // heads
    decay = DecayExpr(*map(unsigned, (form.decay.multiplier, form.decay.left, form.decay.limit)))
    build = Builder(graph, node)
    with build:
        q_codes = build.operand(0, (queries, heads, depth))
        k_codes = build.operand(1, (keys, heads, depth))
        v_codes = build.operand(2, (keys, heads, columns))
        out = build.result((queries, heads, columns))
        powers = power_table(build)
        row = build.workspace("row", (keys,), "int32")
        query = build.workspace("query", (depth,), "int16")
        with build.loop("i", queries) as i, build.loop("h", heads) as h:
            with build.loop("c", depth) as c:
                centred = narrow(q_codes[i, h, c]) - q.params.zero_point
                build.store(query, narrow(centred, "int16"), c)
            largest = _scores(build, query, (k_codes, h), row, (keys, depth))
            total = shares(build, (row, ()), keys, largest, decay, form.spare, powers)
            mean = mean_of(build, total, form.output)
            # All products of shares and the zero point at once: no sum leaves 32 bits for it.
            start = build.let("start", total * -v.params.zero_point)
            zero = graph.result(node).params.zero_point
            _mix(build, (row, start), (v_codes, h), mean, (out, i), (keys, columns), zero)
    return build.kernel()


def _scores(
    build: Builder,
    query: Buffer,
    of: tuple[Buffer, Expr],
    row: Buffer,
    sizes: tuple[int, int],
) -> Expr:
    """Of all keys of a head; the largest one."""
    k, h = of
    keys, depth = sizes
    largest = build.registers("largest", 1)
    build.store(largest, _INT32_MIN, 0)
    for j, width in tiles(build, "j", keys, _TILE):
        with j as first:
            sums = product_sums(
                build,
                width,
                0,
                ("c", depth),
                lambda c: narrow(query[c]),
                lambda c, n: narrow(k[first + n, h, c]),
            )
            for n in range(width):
                build.store(row, sums[n], first + n)
                build.store(largest, tirx.max(largest[0], sums[n]), 0)
    return largest[0]


def _mix(
    build: Builder,
    by: tuple[Buffer, Expr],
    of: tuple[Buffer, Expr],
    mean: Mean,
    to: tuple[Buffer, Expr],
    sizes: tuple[int, int],
    zero: int,
) -> None:
    """All columns of a head of the result, from the shares of its values and what each sum starts
    from."""
    row, start = by
    v, h = of
    out, i = to
    keys, columns = sizes
    for c, width in tiles(build, "c", columns, _TILE):
        with c as first:
            sums = product_sums(
                build,
                width,
                start,
                ("j", keys),
                lambda j: row[j],
                lambda j, n: narrow(v[j, h, first + n]),
            )
            for n in range(width):
                build.store(out, mean_code(sums[n], mean, zero), i, h, first + n)
