"""DEPTHWISE_CONV_2D: eight channels at a time."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.neon.finish import common_fields, folded_bias, has_codes, shifts
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op

_CHANNELS = 8
_MOST_TAPS = 128
"""TINYFLOW_NEON_TAPS of the kernel."""


def applies(graph: Graph, node: Node) -> bool:
    """A channel for each channel, in eights at least once."""
    x, weight = graph.operands(node)[:2]
    _, kernel_h, kernel_w, channels = weight.shape
    return (
        channels == x.shape[3]
        and channels >= _CHANNELS
        and kernel_h * kernel_w <= _MOST_TAPS
        and has_codes(graph, node)
    )


def demand(graph: Graph, node: Node) -> Demand:
    """A pixel of padding."""
    return Demand(graph.operands(node)[0].shape[3])


def bind(layer: Layer) -> list[KernelCall]:
    attrs, weight = layer.attrs, layer.operands[1].value
    _, in_h, in_w, channels = layer.operands[0].shape
    _, out_h, out_w, _ = layer.result.shape
    sums = weight.astype(np.int64).reshape(-1, channels).sum(axis=0)
    multiplier = np.broadcast_to(layer.form.multiplier, channels).astype(np.int32)
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w},
        {"out_h": out_h, "out_w": out_w},
        {"channels": channels},
        {"kernel_h": weight.shape[1], "kernel_w": weight.shape[2]},
        {"stride_h": attrs.strides[0], "stride_w": attrs.strides[1]},
        {"dilation_h": attrs.dilations[0], "dilation_w": attrs.dilations[1]},
        {"pad_top": attrs.padding[0][0], "pad_left": attrs.padding[1][0]},
        *common_fields(layer, weight),
        {"weights": layer.weight(1)},
        {"bias": layer.table("bias", folded_bias(layer, sums))},
        {"multiplier": layer.table("multiplier", multiplier)},
        {"shift": layer.table("shift", shifts(layer))},
    ]
    return [layer.call("depthwise_neon_s8", fields, scratch=layer.scratch, folder="neon/")]


DEPTHWISE = Variant(
    "vectors of channels",
    Op.DEPTHWISE_CONV_2D,
    bind,
    frozenset({Feature.NEON}),
    applies,
    demand,
)
