"""CONV_2D: grouped and dilated 2-D convolution, NHWC by OHWI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.products import finish, image_blocks, multiply_rows
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, extent, pad_image, windows
from tinyflow.ir.ops.spec import OpSpec, ShapeError, need_rank
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class Conv2DAttrs(Attrs):
    strides: Pair = (1, 1)
    padding: Padding = NO_PADDING
    dilations: Pair = (1, 1)
    groups: int = 1
    clamp: Clamp = NO_CLAMP


def infer(attrs: Conv2DAttrs, x: Shape, w: Shape, bias: Shape | None = None) -> Shape:
    """x [n,h,w,c], w [o,kh,kw,c/groups], bias [o] -> [n,oh,ow,o]."""
    need_rank(x, 4)
    need_rank(w, 4, "weight")
    if x[3] != w[3] * attrs.groups or w[0] % attrs.groups:
        raise ShapeError(
            f"{x[3]} input channels in {attrs.groups} groups do not fit a weight {list(w)}"
        )
    if bias is not None and bias != (w[0],):
        raise ShapeError(f"its bias has the shape {list(bias)}, {w[0]} channels leave")
    rows = extent(x[1], w[1], attrs.strides[0], attrs.dilations[0], attrs.padding[0])
    columns = extent(x[2], w[2], attrs.strides[1], attrs.dilations[1], attrs.padding[1])
    if rows < 1 or columns < 1:
        raise ShapeError(f"a kernel of {w[1]}x{w[2]} does not fit the image {list(x)}")
    return (x[0], rows, columns, w[0])


def accumulate(
    attrs: Conv2DAttrs,
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    clamp: Clamp = NO_CLAMP,
) -> np.ndarray:
    """The sums of products [n,oh,ow,o], in the dtype of the operands.

    With ``bias`` and ``clamp`` applied. What lies outside the image counts as 0.
    """
    x = pad_image(x, attrs.padding, 0)
    out_channels, kh, kw, per_group = w.shape
    if (kh, kw) == (1, 1) and attrs.groups == 1:
        x = x[:, :: attrs.strides[0], :: attrs.strides[1]]
        return multiply_rows(x, w.reshape(out_channels, per_group), bias, clamp)
    view = windows(x, (kh, kw), attrs.strides, attrs.dilations).transpose(0, 1, 2, 4, 5, 3)
    n, oh, ow = view.shape[:3]
    result = np.empty((n, oh, ow, out_channels), dtype=np.result_type(x, w))
    taps, step = kh * kw * per_group, out_channels // attrs.groups
    for images, rows in image_blocks(n, oh, ow * taps):
        block = result[images, rows]
        for g in range(attrs.groups):
            outs, ins = slice(g * step, (g + 1) * step), slice(g * per_group, (g + 1) * per_group)
            columns = view[images, rows, ..., ins].reshape(-1, taps)
            products = columns @ w[outs].reshape(step, taps).T
            block[..., outs] = products.reshape(*block.shape[:3], step)
        finish(block, bias, clamp)
    return result


def evaluate(
    attrs: Conv2DAttrs, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    return accumulate(attrs, x, w, bias, attrs.clamp)


def macs(attrs: Conv2DAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    return int(np.prod(output) * np.prod(inputs[1][1:]))


SPEC = OpSpec(
    Op.CONV_2D,
    Conv2DAttrs,
    ("x", "weight", "bias?"),
    infer,
    evaluate,
    macs,
    weight_axis=0,
)
