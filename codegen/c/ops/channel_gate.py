"""CHANNEL_GATE."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer, Rows
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call("channel_gate_s8", fields(layer), operand_rows(layer))]


def operand_rows(layer: Layer) -> tuple[Rows, Rows]:
    """The map and the gate."""
    return layer.input_rows(0), layer.input_rows(1)


def fields(layer: Layer) -> list[FieldLine]:
    form = layer.form
    _, height, width, channels = as_nhwc(layer.result.shape)
    x, gate = layer.operands[:2]
    return [
        {"height": height, "width": width, "channels": channels},
        {"in_zero": x.params.zero_point, "gate_zero": gate.params.zero_point},
        {"base": form.base, "start": form.start},
        {"factor": layer.table("factor", form.factor)},
        {"offset": layer.table("offset", form.offset)},
    ]
