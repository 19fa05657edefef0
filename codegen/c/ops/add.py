"""ADD and SUB."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.broadcast import broadcast_fields, broadcast_rows
from tinyflow.ir import Multiplier, Op

_SUBTRACT = {Op.ADD: 0, Op.SUB: 1}


def bind(layer: Layer) -> list[KernelCall]:
    form = layer.form
    fields: list[FieldLine] = [
        *broadcast_fields(layer),
        factor("a", form.input_1),
        factor("b", form.input_2),
        factor("out", form.output),
        {"left_shift": form.left_shift, "subtract": _SUBTRACT[layer.node.op]},
        {"lo": form.lo, "hi": form.hi},
    ]
    return [layer.call("add_s8", fields, broadcast_rows(layer))]


def factor(role: str, value: Multiplier) -> FieldLine:
    return {f"{role}_multiplier": value.multiplier, f"{role}_shift": value.shift}
