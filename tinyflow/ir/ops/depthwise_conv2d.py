"""DEPTHWISE_CONV_2D: each input channel feeds its own ``multiplier`` output channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.products import finish, image_blocks
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, extent, pad_image
from tinyflow.ir.ops.spec import OpSpec, ShapeError, need_rank
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class DepthwiseConv2DAttrs(Attrs):
    """Output channel ``c * multiplier + m`` reads input channel ``c``."""

    strides: Pair = (1, 1)
    padding: Padding = NO_PADDING
    dilations: Pair = (1, 1)
    clamp: Clamp = NO_CLAMP


def infer(attrs: DepthwiseConv2DAttrs, x: Shape, w: Shape, bias: Shape | None = None) -> Shape:
    """x [n,h,w,c], w [1,kh,kw,c*multiplier], bias [c*multiplier] -> [n,oh,ow,c*multiplier]."""
    need_rank(x, 4)
    need_rank(w, 4, "weight")
    if w[0] != 1 or w[3] % x[3]:
        raise ShapeError(f"{x[3]} input channels do not fit a depthwise weight {list(w)}")
    if bias is not None and bias != (w[3],):
        raise ShapeError(f"its bias has the shape {list(bias)}, {w[3]} channels leave")
    rows = extent(x[1], w[1], attrs.strides[0], attrs.dilations[0], attrs.padding[0])
    columns = extent(x[2], w[2], attrs.strides[1], attrs.dilations[1], attrs.padding[1])
    if rows < 1 or columns < 1:
        raise ShapeError(f"a kernel of {w[1]}x{w[2]} does not fit the image {list(x)}")
    return (x[0], rows, columns, w[3])


def accumulate(
    attrs: DepthwiseConv2DAttrs,
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    clamp: Clamp = NO_CLAMP,
) -> np.ndarray:
    """The sums of products [n,oh,ow,c*multiplier], in the dtype of the operands.

    With ``bias`` and ``clamp`` applied. What lies outside the image counts as 0.
    """
    _, oh, ow, channels = infer(attrs, (1, *x.shape[1:]), w.shape)
    x = pad_image(x, attrs.padding, 0)
    multiplier = channels // x.shape[3]
    if multiplier > 1:
        x = np.repeat(x, multiplier, axis=3)
    (sy, sx), (dy, dx) = attrs.strides, attrs.dilations
    result = np.empty((x.shape[0], oh, ow, channels), dtype=np.result_type(x, w))
    for images, rows in image_blocks(x.shape[0], oh, ow * channels):
        block = result[images, rows]
        product = np.empty_like(block)
        for ky in range(w.shape[1]):
            top, bottom = rows.start * sy + ky * dy, (rows.stop - 1) * sy + ky * dy + 1
            for kx in range(w.shape[2]):
                left = kx * dx
                tap = x[images, top:bottom:sy, left : left + (ow - 1) * sx + 1 : sx]
                if ky == kx == 0:
                    np.multiply(tap, w[0, ky, kx], out=block)
                else:
                    np.multiply(tap, w[0, ky, kx], out=product)
                    block += product
        finish(block, bias, clamp)
    return result


def evaluate(
    attrs: DepthwiseConv2DAttrs, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    return accumulate(attrs, x, w, bias, attrs.clamp)


def macs(attrs: DepthwiseConv2DAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    return int(np.prod(output) * inputs[1][1] * inputs[1][2])


SPEC = OpSpec(
    Op.DEPTHWISE_CONV_2D,
    DepthwiseConv2DAttrs,
    ("x", "weight", "bias?"),
    infer,
    evaluate,
    macs,
    weight_axis=3,
)
