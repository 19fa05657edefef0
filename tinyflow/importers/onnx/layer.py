"""One node of an ONNX model, as the handlers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx


class RefusalError(Exception):
    """A handler cannot translate a layer; the importer turns it into an `Obstacle`."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Layer:
    """``name`` is the source node's name, or its first output's where it has none.

    An operand that is left out has the name ''. ``attributes`` holds what the file states,
    decoded to Python values; defaults are the handlers' business.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def has(self, index: int) -> bool:
        """Whether the operand ``index`` is given."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def integer(self, name: str, default: int) -> int:
        return int(self.attributes.get(name, default))

    def number(self, name: str, default: float) -> float:
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        return str(self.attributes.get(name, default))

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list of integers; None where the file does not state it."""
        value = self.attributes.get(name)
        return None if value is None else tuple(int(v) for v in value)


def op_name(node: onnx.NodeProto) -> str:
    """The op with its domain, unless that is ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def layer_of(node: onnx.NodeProto) -> Layer:
    return Layer(
        name=node.name or next((o for o in node.output if o), node.op_type),
        op=op_name(node),
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={a.name: _decode(a) for a in node.attribute},
    )


def _decode(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
