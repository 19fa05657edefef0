"""MEAN over rows, pixels or both, four channels at a time."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.dsp.words.requant_layer import find_layer_requant, requant_fields
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Graph, Node, Op, Shape, as_nhwc

_FEWEST_CHANNELS = 4


def applies(graph: Graph, node: Node) -> bool:
    """Channels are kept, or pixels are and count as channels."""
    (_, _, _, in_c), (_, _, width, channels) = _views(graph, node)
    return width == 1 and channels == in_c and channels >= _FEWEST_CHANNELS


def bind(layer: Layer) -> list[KernelCall]:
    form, result = layer.form, layer.result
    source, kept = _views(layer.graph, layer.node)
    zero = layer.operands[0].params.zero_point
    assert layer.graph.rounding is not None
    found = find_layer_requant(
        form.output,
        layer.graph.rounding,
        result.params.zero_point,
        (-128, 127),
        (form.count * (-128 - zero), form.count * (127 - zero)),
    )
    fields: list[FieldLine] = [
        {"in_h": source[1], "in_w": source[2], "channels": source[3]},
        {"out_h": kept[1], "start": -form.count * zero},
        *requant_fields(found),
    ]
    rows = (layer.input_rows(0, source),)
    return [
        layer.call("mean_words_s8", fields, rows, layer.output_rows(kept), kept[1], folder="dsp/")
    ]


def _views(graph: Graph, node: Node) -> tuple[Shape, Shape]:
    """Operand and result as NHWC, averaged axes of the latter being 1. Where pixels are kept,
    their codes are the channels of one."""
    attrs: Any = node.attrs
    shape = graph.operands(node)[0].shape
    kept = tuple(1 if axis in attrs.axes else size for axis, size in enumerate(shape))
    _, height, width, channels = as_nhwc(shape)
    _, out_h, out_w, out_c = as_nhwc(kept)
    if out_w == width and out_c == channels:
        return (1, height, 1, width * channels), (1, out_h, 1, width * channels)
    return (1, height, width, channels), (1, out_h, out_w, out_c)


MEAN = Variant("dsp", Op.MEAN, bind, frozenset({Feature.DSP}), applies)
