"""Windows that slide over images or signals, and convolutions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, extent


@dataclass(frozen=True)
class Window:
    """Over rows and columns; a 1-D window has one row. ``padding`` is what the layer states."""

    kernel: Pair
    strides: Pair
    dilations: Pair = (1, 1)
    padding: Padding = NO_PADDING

    def with_ceiling(self, size: Pair) -> Window:
        """Padded at the end so that rounding down gives what ceil_mode gives on images of
        ``size``: a last window that is not full counts if it starts inside the padded image."""
        padding = []
        for axis in (0, 1):
            before, after = self.padding[axis]
            kernel, stride, dilation = self.kernel[axis], self.strides[axis], self.dilations[axis]
            reach = (kernel - 1) * dilation + 1
            count = -(-(size[axis] + before + after - reach) // stride) + 1
            if (count - 1) * stride >= size[axis] + before:
                count -= 1
            needed = (count - 1) * stride + reach - size[axis] - before
            padding.append((before, max(needed, after)))
        return replace(self, padding=(padding[0], padding[1]))

    def output_size(self, size: Pair) -> Pair:
        rows, columns = (
            extent(size[i], self.kernel[i], self.strides[i], self.dilations[i], self.padding[i])
            for i in (0, 1)
        )
        return rows, columns


def image_size(builder: Builder, image: str) -> Pair:
    """Height and width of [n, h, w, c]."""
    _, height, width, _ = builder.shape(image)
    return height, width


def convolution(
    layer: Layer,
    builder: Builder,
    image: str,
    weight: np.ndarray,
    bias: np.ndarray | None,
    window: Window,
    groups: int,
    stems: tuple[str, str],
) -> str:
    """``image`` [n,h,w,c], ``weight`` [o, c/groups, kh, kw] as sources store it -> [n,oh,ow,o].

    A group for each channel is a depthwise convolution. ``stems`` name weight and bias.
    """
    channels = builder.shape(image)[3]
    if groups < 1 or weight.shape[0] % groups:
        raise RefusalError(f"{weight.shape[0]} output channels do not split in {groups} groups")
    depthwise = groups == channels and groups > 1 and weight.shape[1] == 1
    # [c*m, 1, kh, kw] -> [1, kh, kw, c*m], else [o, c/g, kh, kw] -> [o, kh, kw, c/g]
    order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
    inputs = [image, builder.add_constant(stems[0], weight.transpose(order))]
    if bias is not None:
        inputs.append(builder.add_constant(stems[1], bias))
    if depthwise:
        attrs = DepthwiseConv2DAttrs(window.strides, window.padding, window.dilations)
        return builder.emit(layer, Op.DEPTHWISE_CONV_2D, inputs, attrs)
    plain = Conv2DAttrs(window.strides, window.padding, window.dilations, groups)
    return builder.emit(layer, Op.CONV_2D, inputs, plain)
