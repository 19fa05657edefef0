"""What follows the sums of vector kernels: biases that hold the zero point, factors, the clamp."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, Layer
from tinyflow.codegen.c.literals import Struct
from tinyflow.ir import Graph, Node

_LOWEST = -128


def folded_bias(layer: Layer, sums: np.ndarray) -> np.ndarray:
    """int32 [channels]: the biases less the input's zero point times ``sums``, those of each
    channel's weights. They wrap around as the vectors' sums do."""
    bias = np.zeros(len(sums), dtype=np.int64)
    if len(layer.operands) > 2:
        bias = layer.operands[2].value.astype(np.int64)
    folded = bias - layer.operands[0].params.zero_point * sums.astype(np.int64)
    return folded.astype(np.uint64).astype(np.uint32).view(np.int32)


def shifts(layer: Layer) -> np.ndarray:
    """int32 [channels]"""
    return np.asarray(layer.form.shift, dtype=np.int32)


def output_range(layer: Layer) -> Struct:
    form = layer.form
    return Struct(
        zero=layer.result.params.zero_point,
        lo=form.lo,
        hi=form.hi,
        shifts_left=int((shifts(layer) > 0).any()),
    )


def common_fields(layer: Layer, weight: np.ndarray) -> list[FieldLine]:
    """Those that the structs of all kernels here have."""
    return [
        {
            "narrow": int(weight.min(initial=0) > _LOWEST),
            "in_zero": layer.operands[0].params.zero_point,
        },
        {"range": output_range(layer)},
    ]


def has_codes(graph: Graph, node: Node) -> bool:
    """Whether a layer's input is int8 activations, and its weights have no zero point."""
    x, form = graph.operands(node)[0], node.integer
    return not x.is_constant and x.dtype.numpy == np.int8 and not getattr(form, "weight_zero", 0)
