"""MAX_POOL and AVERAGE_POOL, four channels at a time."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops import pool, rows
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Graph, Node, Op

_KERNELS = {Op.MAX_POOL: "max_pool_words_s8", Op.AVERAGE_POOL: "average_pool_words_s8"}
_FEWEST_CHANNELS = 4
_MOST_PIXELS = 256
"""Of a window whose sums fit 16 bits: 256 * -128 = -2**15."""


def applies(graph: Graph, node: Node) -> bool:
    """A pixel has a word of channels, and sums fit half a word."""
    attrs: Any = node.attrs
    fits = node.op is Op.MAX_POOL or attrs.kernel[0] * attrs.kernel[1] <= _MOST_PIXELS
    return fits and graph.result(node).shape[3] >= _FEWEST_CHANNELS


def bind(layer: Layer) -> list[KernelCall]:
    inside: list[FieldLine] = [{"inside": int(_inside(layer))}]
    return [layer.call(_KERNELS[layer.node.op], [*pool.fields(layer), *inside], folder="dsp/")]


def _inside(layer: Layer) -> bool:
    """No window reaches into the padding."""
    attrs = layer.attrs
    return all(
        attrs.padding[i][0] == 0
        and (layer.result.shape[1 + i] - 1) * attrs.strides[i] + attrs.kernel[i]
        <= layer.operands[0].shape[1 + i]
        for i in (0, 1)
    )


_FEATURES = frozenset({Feature.DSP})

MAX_POOL = Variant("dsp", Op.MAX_POOL, bind, _FEATURES, applies, rows.demand)
AVERAGE_POOL = Variant("dsp", Op.AVERAGE_POOL, bind, _FEATURES, applies, rows.demand)
