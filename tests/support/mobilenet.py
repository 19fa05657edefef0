"""An int8 network of the shape of MLPerf Tiny's visual wake words model, with random weights."""

from __future__ import annotations

import numpy as np

from tests.support.integer_layers import ACTIVATION, LayerBuilder
from tinyflow.ir import Graph, Op, QuantParams
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.softmax import SoftmaxAttrs
from tinyflow.ir.ops.spatial import Padding, same_padding

# Stride of the depthwise layer, and output channels, of each block: MobileNetV1 at width 0.25.
BLOCKS = ((1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128), *[(1, 128)] * 5, (2, 256),
          (1, 256))  # fmt: skip
FIRST = 8
KILLING_BIAS = -(2**30)
"""What quantization makes of a channel whose batch normalization has all but no scale."""


def mobilenet(seed: int, dead_share: float, size: int = 96) -> tuple[Graph, list[np.ndarray]]:
    """The graph, and for each 1x1 layer which output channels its bias keeps at zero.

    From 64 channels on, about ``dead_share`` of the channels are dead.
    """
    b = LayerBuilder("mobilenet", seed)
    x = b.image("image", (1, size, size, 3))
    x = b.conv(x, b.weights((FIRST, 3, 3, 3)), b.biases(FIRST), "conv", _same(size, 2), stride=2)
    size, channels = -(-size // 2), FIRST
    dead = []
    for number, (stride, wider) in enumerate(BLOCKS):
        weight = b.weights((1, 3, 3, channels)) // 8
        x = b.depthwise(
            x, weight, b.biases(channels), f"depthwise_{number}", _same(size, stride), stride
        )
        size = -(-size // stride)
        gone = b.rng.random(wider) < (dead_share if wider >= 64 else 0.0)
        weight = (b.rng.normal(size=(wider, 1, 1, channels)) * 127 / np.sqrt(channels)).clip(
            -127, 127
        )
        bias = b.biases(wider, np.flatnonzero(gone).tolist(), KILLING_BIAS)
        x = b.conv(x, weight.astype(np.int8), bias, f"pointwise_{number}")
        channels = wider
        dead.append(gone)
    x = b.same_scale(Op.MEAN, [x], MeanAttrs((1, 2)), "mean")
    x = b.dense(x, b.weights((2, channels)), b.biases(2), "dense")
    x = b.node(Op.SOFTMAX, [x], SoftmaxAttrs(), "softmax", QuantParams.per_tensor(1 / 256, -128))
    assert b.tensors[x].params != ACTIVATION
    return b.finish(x), dead


def _same(size: int, stride: int) -> Padding:
    return (same_padding(size, 3, stride, 1), same_padding(size, 3, stride, 1))
