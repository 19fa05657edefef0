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
    source, target = writer.index(x.name), writer.result(node)
    wanted, whole = codes_of(attrs.clamp, result), codes_of(NO_CLAMP, result)
    if attrs.clamp == RELU or (wanted != whole and wanted == codes_of(RELU, result)):
        writer.emit("RELU", [source], [target])
        return
    if wanted == whole:
        writer.emit("QUANTIZE", [source], [target], "QuantizeOptions")
        return
    if wanted == codes_of(RELU6, result) and not rescales:
        writer.emit("RELU6", [source], [target])
        return
    if rescales:
        between = writer.inner(node, "unclamped", result.shape, result.dtype, result.quant)
        writer.emit("QUANTIZE", [source], [between], "QuantizeOptions")
        source = between
    clamp_codes(writer, node, source, remaining(whole, wanted))
