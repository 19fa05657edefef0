"""ADD and SUB of tensors of one shape, four codes at a time."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.literals import Struct
from tinyflow.codegen.c.ops.broadcast import broadcast_rows, view
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import DType, Graph, Multiplier, Node, Op, as_nhwc

_SUBTRACT = {Op.ADD: 0, Op.SUB: 1}


def applies(graph: Graph, node: Node) -> bool:
    """No operand is repeated, and rows are worth a vector."""
    shape = as_nhwc(graph.result(node).shape)
    same = all(view(graph, node, i) == shape for i in (0, 1))
    codes = all(t.dtype is DType.INT8 for t in (*graph.operands(node), graph.result(node)))
    return same and codes and shape[2] * shape[3] >= 4


def bind(layer: Layer) -> list[KernelCall]:
    form: Any = layer.form
    _, height, width, channels = as_nhwc(layer.result.shape)
    factors = (form.input_1, form.input_2, form.output)
    fields: list[FieldLine] = [
        {"height": height, "row_bytes": width * channels},
        {"a": _operand(layer, 0, form.input_1), "b": _operand(layer, 1, form.input_2)},
        {"multiplier": form.output.multiplier, "shift": form.output.shift},
        {"left_shift": form.left_shift, "subtract": _SUBTRACT[layer.node.op]},
        {
            "range": Struct(
                zero=layer.result.params.zero_point,
                lo=form.lo,
                hi=form.hi,
                shifts_left=int(any(factor.shift > 0 for factor in factors)),
            )
        },
    ]
    return [layer.call("add_neon_s8", fields, broadcast_rows(layer), folder="neon/")]


def _operand(layer: Layer, index: int, factor: Multiplier) -> Struct:
    zero = layer.operands[index].params.zero_point
    return Struct(zero=zero, multiplier=factor.multiplier, shift=factor.shift)


VARIANTS = tuple(
    Variant("vectors of sums", op, bind, frozenset({Feature.NEON}), applies) for op in _SUBTRACT
)
