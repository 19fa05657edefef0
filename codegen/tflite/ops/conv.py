"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.tflite.clamps import fuse
from tinyflow.codegen.tflite.windows import PaddingKind, bordered, padding_kind
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node


def write_conv(writer: Writer, node: Node) -> None:
    _write(writer, node, "CONV_2D", "Conv2DOptions")


def write_depthwise(writer: Writer, node: Node) -> None:
    x, weight = writer.graph.operands(node)[:2]
    multiplier = weight.shape[3] // x.shape[3]
    table = "DepthwiseConv2DOptions"
    _write(writer, node, "DEPTHWISE_CONV_2D", table, depthMultiplier=multiplier)


def _write(writer: Writer, node: Node, name: str, table: str, **fields: Any) -> None:
    attrs: Any = node.attrs
    x, weight = writer.graph.operands(node)[:2]
    kind = padding_kind(
        x.shape[1:3], weight.shape[1:3], attrs.strides, attrs.padding, attrs.dilations
    )
    image, *constants = writer.operands(node)
    if kind is None:
        image, kind = bordered(writer, node, attrs.padding, x.params.zero_point), PaddingKind.VALID
    clamp = fuse(writer, node, attrs.clamp)
    writer.emit(
        name,
        [image, *constants],
        [clamp.output],
        table,
        padding=kind,
        strideH=attrs.strides[0],
        strideW=attrs.strides[1],
        dilationHFactor=attrs.dilations[0],
        dilationWFactor=attrs.dilations[1],
        fusedActivationFunction=clamp.activation,
        **fields,
    )
    clamp.finish(writer, node)
