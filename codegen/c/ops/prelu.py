"""PRELU."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.add import factor
from tinyflow.codegen.c.ops.broadcast import broadcast_fields, broadcast_rows


def bind(layer: Layer) -> list[KernelCall]:
    fields: list[FieldLine] = [
        *broadcast_fields(layer),
        factor("above", layer.form.above),
        factor("below", layer.form.below),
    ]
    return [layer.call("prelu_s8", fields, broadcast_rows(layer))]
