"""MAXIMUM and MINIMUM."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.broadcast import broadcast_rows, broadcast_steps
from tinyflow.ir import Op

_LEAST = {Op.MAXIMUM: 0, Op.MINIMUM: 1}


def bind(layer: Layer) -> list[KernelCall]:
    fields: list[FieldLine] = [*broadcast_steps(layer), {"least": _LEAST[layer.node.op]}]
    return [layer.call("extremum_s8", fields, broadcast_rows(layer))]
