"""One node of an ONNX model as a `Layer`."""

from __future__ import annotations

from typing import Any

import onnx

from tinyflow.importers.common.layer import Layer


def op_name(node: onnx.NodeProto) -> str:
    """The op with its domain, unless that is ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def layer_of(node: onnx.NodeProto, opset: int) -> Layer:
    return Layer(
        name=node.name or next((o for o in node.output if o), node.op_type),
        op=op_name(node),
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={a.name: _decode(a) for a in node.attribute},
        opset=opset,
    )


def _decode(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
