"""MUL, four codes at a time."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.codegen.c.dsp.words.requant_layer import find_layer_requant, requant_fields
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.broadcast import broadcast_rows, view
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Graph, Node, Op, as_nhwc


@dataclass(frozen=True)
class Runs:
    """Codes that lie side by side in every row: of the operand ``a``, which has the result's
    shape, and of ``b``, one code or as many for each run."""

    a: int
    count: int
    length: int
    b_step: int
    b_is_one: bool


def applies(graph: Graph, node: Node) -> bool:
    """One operand has the result's shape, and a run has a word at least."""
    runs = _runs(graph, node)
    return runs is not None and runs.length >= 4


def bind(layer: Layer) -> list[KernelCall]:
    runs = _runs(layer.graph, layer.node)
    assert runs is not None
    rows = broadcast_rows(layer)
    _, height, _, _ = as_nhwc(layer.result.shape)
    zeros = [layer.operands[i].params.zero_point for i in (runs.a, 1 - runs.a)]
    assert layer.graph.rounding is not None
    found = find_layer_requant(
        layer.form.output,
        layer.graph.rounding,
        layer.result.params.zero_point,
        (layer.form.lo, layer.form.hi),
        _products(zeros[0], zeros[1]),
    )
    fields: list[FieldLine] = [
        {"height": height, "runs": runs.count, "length": runs.length},
        {"b_run_step": runs.b_step, "b_is_one": int(runs.b_is_one)},
        {"a_zero": zeros[0], "b_zero": zeros[1]},
        *requant_fields(found),
    ]
    operands = (rows[runs.a], rows[1 - runs.a])
    return [layer.call("mul_words_s8", fields, operands, folder="dsp/")]


def _runs(graph: Graph, node: Node) -> Runs | None:
    result = as_nhwc(graph.result(node).shape)
    views = [view(graph, node, i) for i in (0, 1)]
    if result not in views:
        return None
    a = views.index(result)
    _, _, width, channels = result
    _, _, b_width, b_channels = views[1 - a]
    if b_width * b_channels == 1:
        return Runs(a, 1, width * channels, 0, True)
    if b_channels == channels and b_width == width:
        return Runs(a, 1, width * channels, 0, False)
    if b_channels == channels:
        return Runs(a, width, channels, 0, False)
    return Runs(a, width, channels, 1, True)


def _products(a_zero: int, b_zero: int) -> tuple[int, int]:
    """The least and the greatest product of two codes less their zero points."""
    corners = [(a - a_zero) * (b - b_zero) for a in (-128, 127) for b in (-128, 127)]
    return min(corners), max(corners)


MUL = Variant("dsp", Op.MUL, bind, frozenset({Feature.DSP}), applies)
