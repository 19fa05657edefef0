"""Quantized depthwise convolutions of chosen and of random shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.support.graphs import GraphBuilder
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Clamp, DType, Graph, Op, QuantParams, Rounding
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.spatial import Padding, Pair, same_padding
from tinyflow.quantize import attach_integers


@dataclass(frozen=True)
class Depthwise:
    """One layer. ``padding`` is SAME where it is None; ``spread`` is how far, in octaves, scales
    differ by channel; ``weight`` is the code of all weights, where they are not random."""

    size: Pair
    channels: int
    kernel: Pair = (3, 3)
    strides: Pair = (1, 1)
    padding: Padding | None = None
    in_zero: int = -128
    out_zero: int = -128
    clamp: Clamp = RELU
    spread: float = 1.0
    bias: int = 1 << 11
    weight: int | None = None
    gain: float = 1.0
    multiplier: int = 1


def depthwise_graph(
    layers: Sequence[Depthwise], rounding: Rounding = Rounding.DOUBLE, seed: int = 0
) -> Graph:
    """Each layer with an input of its own."""
    builder, rng = GraphBuilder(), np.random.default_rng(seed)
    outputs = [_add(builder, rng, i, layer) for i, layer in enumerate(layers)]
    return attach_integers(builder.build(*outputs), rounding)


def _add(builder: GraphBuilder, rng: np.random.Generator, i: int, layer: Depthwise) -> str:
    taps = layer.kernel[0] * layer.kernel[1]
    x_quant = QuantParams.per_tensor(0.05, layer.in_zero)
    x = builder.input(f"x{i}", (1, *layer.size, layer.channels), DType.INT8, x_quant)
    channels = layer.channels * layer.multiplier
    shape = (1, *layer.kernel, channels)
    weight = rng.integers(-127, 128, shape, dtype=np.int8)
    if layer.weight is not None:
        weight[:] = layer.weight
    scales = 0.01 * 2.0 ** rng.uniform(-layer.spread, layer.spread, channels)
    w = builder.constant(f"w{i}", weight, QuantParams.per_channel(scales, 3))
    bias = rng.integers(-layer.bias, layer.bias, channels).astype(np.int32)
    sums = np.array([0.05 * s for s in QuantParams.per_channel(scales, 3).scales])
    b = builder.constant(f"b{i}", bias, QuantParams.per_channel(sums, 0))
    sides = zip(layer.size, layer.kernel, layer.strides, strict=True)
    padding = layer.padding or tuple(same_padding(n, k, s, 1) for n, k, s in sides)
    attrs = DepthwiseConv2DAttrs(layer.strides, padding, (1, 1), layer.clamp)
    scale = 0.05 * 0.01 * 74 * 74 * float(np.sqrt(taps)) / 60 / layer.gain
    quant = QuantParams.per_tensor(scale, layer.out_zero)
    return builder.node(Op.DEPTHWISE_CONV_2D, (x, w, b), attrs, f"layer{i}", quant)


def random_depthwise(rng: np.random.Generator) -> Depthwise:
    """Any layer that leaves at least one pixel."""

    def pair(low: int, high: int) -> Pair:
        return int(rng.integers(low, high)), int(rng.integers(low, high))

    while True:
        kernel = pair(1, 6) if rng.random() < 0.7 else pair(1, 10)
        if rng.random() < 0.5:
            kernel = (kernel[0], kernel[0])
        size = pair(1, 21)
        sides = [(int(rng.integers(0, k)), int(rng.integers(0, k))) for k in kernel]
        padding = (sides[0], sides[1]) if rng.random() < 0.5 else None
        if padding is None or all(
            n + sum(side) >= k for n, side, k in zip(size, padding, kernel, strict=True)
        ):
            break
    zeros = (-128, -128, 0, 127, -1, 37)
    clamps = (RELU, RELU, NO_CLAMP, RELU6, Clamp(-0.5, 0.75))
    return Depthwise(
        size,
        int(rng.integers(1, 10)),
        kernel,
        pair(1, 3) if rng.random() < 0.8 else pair(1, 5),
        padding,
        int(rng.choice(zeros)),
        int(rng.choice(zeros)),
        clamps[rng.integers(len(clamps))],
        float(rng.choice([0.0, 1.0, 4.0])),
        1 << int(rng.choice([11, 11, 20, 26])),
        int(rng.choice([-128, 127])) if rng.random() < 0.1 else None,
        float(rng.choice([1.0, 1.0, 400.0])),
        int(rng.choice([1, 1, 1, 2, 5])),
    )
