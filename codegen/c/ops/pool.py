"""MAX_POOL and AVERAGE_POOL."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import Op

_KERNELS = {Op.MAX_POOL: "max_pool_s8", Op.AVERAGE_POOL: "average_pool_s8"}


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call(_KERNELS[layer.node.op], fields(layer))]


def fields(layer: Layer) -> list[FieldLine]:
    """Sizes, window and clamp."""
    attrs = layer.attrs
    _, in_h, in_w, channels = layer.operands[0].shape
    _, out_h, out_w, _ = layer.result.shape
    return [
        {"in_h": in_h, "in_w": in_w, "channels": channels},
        {"out_h": out_h, "out_w": out_w},
        {"kernel_h": attrs.kernel[0], "kernel_w": attrs.kernel[1]},
        {"stride_h": attrs.strides[0], "stride_w": attrs.strides[1]},
        {"pad_top": attrs.padding[0][0], "pad_left": attrs.padding[1][0]},
        {"lo": layer.form.lo, "hi": layer.form.hi},
    ]
