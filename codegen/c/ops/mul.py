"""MUL."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.add import factor
from tinyflow.codegen.c.ops.broadcast import broadcast_fields, broadcast_rows


def bind(layer: Layer) -> list[KernelCall]:
    fields: list[FieldLine] = [
        *broadcast_fields(layer),
        factor("out", layer.form.output),
        {"lo": layer.form.lo, "hi": layer.form.hi},
    ]
    return [layer.call("mul_s8", fields, broadcast_rows(layer))]
