"""TRANSPOSE_CONV_2D: the gradient of a convolution, used to enlarge images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair
from tinyflow.ir.ops.spec import OpSpec, ShapeError, need_rank
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class TransposeConv2DAttrs(Attrs):
    """``padding`` is cropped from the full result; ``extra`` rows and columns (ONNX's
    output_padding) are appended at the bottom and right before cropping."""

    strides: Pair = (1, 1)
    padding: Padding = NO_PADDING
    extra: Pair = (0, 0)
    clamp: Clamp = NO_CLAMP


def infer(attrs: TransposeConv2DAttrs, x: Shape, w: Shape, bias: Shape | None = None) -> Shape:
    """x [n,h,w,c], w [o,kh,kw,c], bias [o] -> [n,oh,ow,o]."""
    need_rank(x, 4)
    need_rank(w, 4, "weight")
    if x[3] != w[3]:
        raise ShapeError(f"{x[3]} input channels do not fit a weight {list(w)}")
    if bias is not None and bias != (w[0],):
        raise ShapeError(f"its bias has the shape {list(bias)}, {w[0]} channels leave")
    rows, columns = (
        (x[1 + i] - 1) * attrs.strides[i] + w[1 + i] + attrs.extra[i] - sum(attrs.padding[i])
        for i in (0, 1)
    )
    if rows < 1 or columns < 1:
        raise ShapeError(f"padding {attrs.padding} leaves nothing of the image {list(x)}")
    return (x[0], rows, columns, w[0])


def accumulate(attrs: TransposeConv2DAttrs, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The sums of products [n,oh,ow,o], in the dtype of the operands."""
    n, h, width, _ = x.shape
    o, kh, kw, _ = w.shape
    (sy, sx), (extra_y, extra_x) = attrs.strides, attrs.extra
    full_h, full_w = (h - 1) * sy + kh + extra_y, (width - 1) * sx + kw + extra_x
    full = np.zeros((n, full_h, full_w, o), dtype=x.dtype)
    for ky in range(kh):
        for kx in range(kw):
            rows, columns = slice(ky, ky + h * sy, sy), slice(kx, kx + width * sx, sx)
            full[:, rows, columns][:, :h, :width] += x @ w[:, ky, kx].T
    (top, bottom), (left, right) = attrs.padding
    return full[:, top : full_h - bottom, left : full_w - right]


def evaluate(
    attrs: TransposeConv2DAttrs, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    y = accumulate(attrs, x, w)
    return attrs.clamp(y if bias is None else y + bias)


def macs(attrs: TransposeConv2DAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    return int(np.prod(inputs[0]) * np.prod(inputs[1][:3]))


SPEC = OpSpec(
    Op.TRANSPOSE_CONV_2D,
    TransposeConv2DAttrs,
    ("x", "weight", "bias?"),
    infer,
    evaluate,
    macs,
    weight_axis=0,
)
