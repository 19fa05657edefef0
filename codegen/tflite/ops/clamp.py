"""CLAMP: an activation that is a layer of its own, and may rescale."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.clamps import clamp_codes, codes_of, remaining
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Node


def write_clamp(writer: Writer, node: Node) -> None:
    """TFLite Micro's RELU rescales and its RELU6 does not; for the rest there are operators that
    rescale, and operators that compare codes."""
    attrs: Any = node.attrs
    x, result = writer.graph.operands(node)[0], writer.graph.result(node)
    rescales = x.params != result.params
    source = writer.index(x.name)
    if attrs.clamp == RELU:
        writer.emit("RELU", [source], [writer.result(node)])
        return
    if attrs.clamp == RELU6 and not rescales:
        writer.emit("RELU6", [source], [writer.result(node)])
        return
    steps = remaining(codes_of(NO_CLAMP, result), codes_of(attrs.clamp, result))
    if not steps:
        writer.emit("QUANTIZE", [source], [writer.result(node)], "QuantizeOptions")
        return
    if rescales:
        between = writer.inner(node, "unclamped", result.shape, result.dtype, result.quant)
        writer.emit("QUANTIZE", [source], [writer.index(between.name)], "QuantizeOptions")
        source = writer.index(between.name)
    clamp_codes(writer, node, source, steps)
