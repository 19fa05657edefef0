"""CONV_2D and FULLY_CONNECTED: four channels and four pixels at a time, sixteen products each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.neon.finish import common_fields, folded_bias, has_codes, shifts
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op, Shape, as_nhwc
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair

_CODES = 16
"""Of a vector."""
_CHANNELS = 4
"""Of a block."""
_MOST_PIXELS = 64
"""TINYFLOW_NEON_PIXELS of the kernel."""
_CHUNK_BYTES = 8192
"""Windows that are gathered at a time, where four are not more: with a block's weights beside
them, they stay in the first cache."""


@dataclass(frozen=True)
class _Plan:
    """A layer as a convolution: ``weight`` is [out_c, kernel_h, kernel_w, in_c / groups]."""

    image: Shape
    result: Shape
    weight: Shape
    strides: Pair
    dilations: Pair
    padding: Padding
    groups: int

    @classmethod
    def of(cls, graph: Graph, node: Node) -> _Plan:
        x, weight = graph.operands(node)[:2]
        shapes = (as_nhwc(x.shape), as_nhwc(graph.result(node).shape))
        if node.op is Op.FULLY_CONNECTED:
            out_c, in_c = weight.shape
            return cls(*shapes, (out_c, 1, 1, in_c), (1, 1), (1, 1), NO_PADDING, 1)
        attrs: Any = node.attrs
        conv = (attrs.strides, attrs.dilations, attrs.padding, attrs.groups)
        return cls(*shapes, weight.shape, *conv)

    @property
    def window(self) -> int:
        _, kernel_h, kernel_w, in_c = self.weight
        return kernel_h * kernel_w * in_c

    @property
    def depth(self) -> int:
        return -(-self.window // _CODES) * _CODES

    @property
    def direct(self) -> bool:
        """Whether a window is one pixel, and needs nothing to fill it up."""
        in_place = self.weight[1:3] == (1, 1) and self.padding == NO_PADDING
        return in_place and self.window == self.depth

    @property
    def chunk(self) -> int:
        fitting = _CHUNK_BYTES // self.depth // 4 * 4
        return min(max(fitting, 4), _MOST_PIXELS)

    @property
    def scratch_bytes(self) -> int:
        return 0 if self.direct else self.chunk * self.depth


def demand(graph: Graph, node: Node) -> Demand:
    return Demand(_Plan.of(graph, node).scratch_bytes)


def bind(layer: Layer) -> list[KernelCall]:
    plan = _Plan.of(layer.graph, layer.node)
    weight = layer.operands[1].value.reshape(plan.weight)
    _, in_h, in_w, in_c = plan.image
    _, out_h, out_w, out_c = plan.result
    fields: list[FieldLine] = [
        {"in_h": in_h, "in_w": in_w, "in_c": in_c},
        {"out_h": out_h, "out_w": out_w, "out_c": out_c},
        {"kernel_h": weight.shape[1], "kernel_w": weight.shape[2]},
        {"stride_h": plan.strides[0], "stride_w": plan.strides[1]},
        {"dilation_h": plan.dilations[0], "dilation_w": plan.dilations[1]},
        {"pad_top": plan.padding[0][0], "pad_left": plan.padding[1][0]},
        {"groups": plan.groups},
        {"depth": plan.depth, "chunk": plan.chunk, "direct": int(plan.direct)},
        *common_fields(layer, weight),
        {"weights": layer.packed_weight("weights", pack(weight, plan.groups), 0)},
        {"finish": layer.table("finish", _finish(layer, weight, plan.groups))},
    ]
    scratch = "NULL" if plan.direct else layer.scratch
    return [layer.call("conv2d_neon_s8", fields, scratch=scratch, folder="neon/")]


def pack(weight: np.ndarray, groups: int) -> np.ndarray:
    """int8 [groups, channels / 4, depth / 16, 4, 16] of weights [out_c, ...]: channels and windows
    are filled up with 0."""
    by_group = weight.reshape(groups, len(weight) // groups, -1)
    _, channels, window = by_group.shape
    padded = np.pad(by_group, ((0, 0), (0, -channels % _CHANNELS), (0, -window % _CODES)))
    vectors = padded.reshape(groups, -1, _CHANNELS, padded.shape[2] // _CODES, _CODES)
    return np.ascontiguousarray(vectors.transpose(0, 1, 3, 2, 4))


def _finish(layer: Layer, weight: np.ndarray, groups: int) -> np.ndarray:
    """int32 [groups, channels / 4, 3, 4]: biases, multipliers and shifts of a block."""
    sums = weight.astype(np.int64).reshape(len(weight), -1).sum(axis=1)
    rows = np.stack([folded_bias(layer, sums), layer.form.multiplier, shifts(layer)])
    by_group = rows.astype(np.int32).reshape(3, groups, -1)
    padded = np.pad(by_group, ((0, 0), (0, 0), (0, -by_group.shape[2] % _CHANNELS)))
    blocks = padded.reshape(3, groups, -1, _CHANNELS)
    return np.ascontiguousarray(blocks.transpose(1, 2, 0, 3))


VARIANTS = tuple(
    Variant("vectors of products", op, bind, frozenset({Feature.NEON}), has_codes, demand)
    for op in (Op.CONV_2D, Op.FULLY_CONNECTED)
)
