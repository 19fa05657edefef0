"""Quantized convolutions and fully connected layers of chosen and of random shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.support.graphs import GraphBuilder
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Clamp, DType, Graph, Op, QuantParams, Rounding
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.spatial import Padding, Pair, extent, same_padding
from tinyflow.quantize import attach_integers


@dataclass(frozen=True)
class Product:
    """A convolution or, with a ``size`` of less than two axes, a fully connected layer over so
    many tokens.

    ``padding`` is SAME where it is None; ``spread`` is how far, in octaves, scales differ by
    channel; ``weight`` is the code of all weights, where they are not random. ``groups`` is for
    convolutions alone.
    """

    size: tuple[int, ...]
    in_c: int
    out_c: int
    kernel: Pair = (1, 1)
    strides: Pair = (1, 1)
    padding: Padding | None = None
    dilations: Pair = (1, 1)
    in_zero: int = -128
    out_zero: int = -128
    clamp: Clamp = RELU
    spread: float = 1.0
    bias: int = 1 << 11
    weight: int | None = None
    gain: float = 1.0
    groups: int = 1

    @property
    def is_conv(self) -> bool:
        return len(self.size) == 2

    @property
    def sides(self) -> Padding:
        if self.padding is not None:
            return self.padding
        axes = zip(self.size, self.kernel, self.strides, self.dilations, strict=True)
        rows, columns = (same_padding(*axis) for axis in axes)
        return rows, columns


def product_graph(
    layers: Sequence[Product], rounding: Rounding = Rounding.DOUBLE, seed: int = 0
) -> Graph:
    """Each layer with an input of its own."""
    builder, rng = GraphBuilder(), np.random.default_rng(seed)
    outputs = [_add(builder, rng, i, layer) for i, layer in enumerate(layers)]
    return attach_integers(builder.build(*outputs), rounding)


def _add(builder: GraphBuilder, rng: np.random.Generator, i: int, layer: Product) -> str:
    x_quant = QuantParams.per_tensor(0.05, layer.in_zero)
    x = builder.input(f"x{i}", (1, *layer.size, layer.in_c), DType.INT8, x_quant)
    kernel = layer.kernel if layer.is_conv else ()
    weight = rng.integers(
        -127, 128, (layer.out_c, *kernel, layer.in_c // layer.groups), dtype=np.int8
    )
    if layer.weight is not None:
        weight[:] = layer.weight
    scales = 0.01 * 2.0 ** rng.uniform(-layer.spread, layer.spread, layer.out_c)
    w_quant = QuantParams.per_channel(scales, 0)
    w = builder.constant(f"w{i}", weight, w_quant)
    bias = rng.integers(-layer.bias, layer.bias, layer.out_c).astype(np.int32)
    sums = np.array([0.05 * s for s in w_quant.scales])
    b = builder.constant(f"b{i}", bias, QuantParams.per_channel(sums, 0))
    scale = 0.05 * 0.01 * 74 * 74 * float(np.sqrt(weight[0].size)) / 60 / layer.gain
    quant = QuantParams.per_tensor(scale, layer.out_zero)
    if layer.is_conv:
        conv = Conv2DAttrs(layer.strides, layer.sides, layer.dilations, layer.groups, layer.clamp)
        return builder.node(Op.CONV_2D, (x, w, b), conv, f"layer{i}", quant)
    dense = FullyConnectedAttrs(layer.clamp)
    return builder.node(Op.FULLY_CONNECTED, (x, w, b), dense, f"layer{i}", quant)


def random_product(rng: np.random.Generator) -> Product:
    """Any layer that leaves at least one pixel."""

    def pair(low: int, high: int) -> Pair:
        return int(rng.integers(low, high)), int(rng.integers(low, high))

    zeros = (-128, -128, 0, 127, -1, 37)
    clamps = (RELU, RELU, NO_CLAMP, RELU6, Clamp(-0.5, 0.75))
    channels = (1, 2, 3, 4, 5, 8, 12, 16, 20, 33, 64)
    common = {
        "in_c": int(rng.choice(channels)),
        "out_c": int(rng.choice(channels)),
        "in_zero": int(rng.choice(zeros)),
        "out_zero": int(rng.choice(zeros)),
        "clamp": clamps[rng.integers(len(clamps))],
        "spread": float(rng.choice([0.0, 1.0, 4.0])),
        "bias": 1 << int(rng.choice([11, 11, 20])),
        "weight": int(rng.choice([-127, 127])) if rng.random() < 0.1 else None,
        "gain": float(rng.choice([1.0, 1.0, 400.0])),
    }
    kind = rng.random()
    if kind < 0.2:
        tokens = (int(rng.integers(1, 9)),) if rng.random() < 0.5 else ()
        return Product(size=tokens, **common)
    if kind < 0.4:
        return Product(size=pair(1, 9), padding=((0, 0), (0, 0)), **common)
    while True:
        kernel, strides, size = pair(1, 6), pair(1, 4), pair(1, 12)
        dilations = (int(rng.integers(1, 3)), 1)
        padding: Padding | None = None
        if rng.random() < 0.5:
            rows, columns = pair(0, kernel[0]), pair(0, kernel[1])
            padding = (rows, columns)
        layer = Product(
            size=size,
            kernel=kernel,
            strides=strides,
            padding=padding,
            dilations=dilations,
            **common,
        )
        axes = zip(size, kernel, strides, dilations, layer.sides, strict=True)
        if min(extent(*axis) for axis in axes) >= 1:
            return layer


def random_groups(rng: np.random.Generator) -> Product:
    """A convolution in some groups of an even number of channels."""
    while True:
        layer = random_product(rng)
        if layer.is_conv:
            break
    groups = int(rng.integers(2, 5))
    in_c = groups * int(rng.choice([2, 4, 6, 8, 16, 30, 32]))
    out_c = groups * int(rng.choice([1, 2, 3, 4, 8, 9, 32]))
    return replace(layer, in_c=in_c, out_c=out_c, groups=groups)
