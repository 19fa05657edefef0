"""ADD and SUB of two tensors of one shape, element by element."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.dsp.add.block import sum_block
from tinyflow.codegen.c.dsp.add.short_sum import AddProblem, ShortSum, find_short_sum
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import DType, Graph, Node, Op, as_nhwc


def applies(graph: Graph, node: Node) -> bool:
    """Both operands have the result's shape, and a linear form equals the reference."""
    tensors = [*graph.operands(node), graph.result(node)]
    same = all(t.shape == tensors[-1].shape and t.dtype is DType.INT8 for t in tensors)
    return same and _find(graph, node) is not None


def bind(layer: Layer) -> list[KernelCall]:
    found = _find(layer.graph, layer.node)
    assert found is not None
    rows = (layer.input_rows(0), layer.input_rows(1))
    _, height, width, channels = as_nhwc(layer.result.shape)
    way = found.saturation
    fields: list[FieldLine] = [
        {"height": height, "row_bytes": width * channels},
        {"sum.a_factor": found.a_factor, "sum.b_factor": found.b_factor},
        {"sum.start": found.start, "sum.constant": found.constant},
        {"sum.by_sign": int(found.by_sign), "sum.shift": found.shift},
        {"sum.base": way.base, "sum.lo": way.lowest, "sum.hi": way.highest},
        {"block": layer.block(sum_block(found))},
    ]
    return [layer.call("sum_s8", fields, rows, folder="dsp/")]


def _find(graph: Graph, node: Node) -> ShortSum | None:
    form: Any = node.integer
    assert graph.rounding is not None
    a, b = (t.params.zero_point for t in graph.operands(node))
    return find_short_sum(
        AddProblem(
            form.left_shift,
            form.input_1,
            form.input_2,
            form.output,
            a,
            b,
            graph.result(node).params.zero_point,
            form.lo,
            form.hi,
            node.op is Op.SUB,
            graph.rounding,
        )
    )


_FEATURES = frozenset({Feature.DSP})

ADD = Variant("dsp", Op.ADD, bind, _FEATURES, applies)
SUB = Variant("dsp", Op.SUB, bind, _FEATURES, applies)
