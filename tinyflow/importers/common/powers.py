"""Powers of magnitudes, of which norms of any order are sums."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import binary, unary_of
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.power import PowerAttrs


def magnitude_power(layer: Layer, builder: Builder, value: Value, p: int) -> Value:
    """``|x|^p`` for an integer p of at least 1."""
    if p < 1:
        raise RefusalError(f"{layer.op} with p = {p} is not supported")
    if p == 2:
        return binary(layer, builder, Op.MUL, (value, value), "squares")
    magnitudes = unary_of(layer, builder, Op.ABS, value, suffix="magnitudes")
    if p == 1:
        return magnitudes
    return unary_of(layer, builder, Op.POWER, magnitudes, PowerAttrs(float(p)), "powers")
