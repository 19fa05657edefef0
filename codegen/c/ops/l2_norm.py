"""L2_NORM."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call("l2_norm_s8", fields(layer))]


def fields(layer: Layer) -> list[FieldLine]:
    """Those of a tinyflow_l2_norm_s8."""
    _, height, width, channels = as_nhwc(layer.result.shape)
    return [
        {"height": height, "width": width, "channels": channels},
        {"in_zero": layer.operands[0].params.zero_point},
    ]
