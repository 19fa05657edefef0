"""The layers that the tuning table is made of: common shapes, and odd ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import OPS, RELU, Attrs, DType, Graph, Node, Op, Shape, Tensor, check_graph
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.spatial import Padding
from tinyflow.quantize import QuantizeOptions, RangeMethod, quantize_model

Size = tuple[int, int]
CALIBRATION = 8
"""Random inputs from which the layers' ranges follow."""


@dataclass(frozen=True)
class LayerShape:
    """``inputs`` are shapes of activations, ``constants`` of weights and biases."""

    op: Op
    inputs: tuple[Shape, ...]
    attrs: Attrs
    constants: tuple[Shape, ...] = ()


def same(size: Size, kernel: Size, stride: int) -> Padding:
    """As TensorFlow's SAME: the result has 1/stride of the pixels, rounded up."""
    needs = [
        max((-(-s // stride) - 1) * stride + k - s, 0) for s, k in zip(size, kernel, strict=True)
    ]
    (top, left) = (need // 2 for need in needs)
    return ((top, needs[0] - top), (left, needs[1] - left))


def conv(
    height: int, width: int, in_c: int, out_c: int, kernel: Size, stride: int = 1
) -> LayerShape:
    attrs = Conv2DAttrs((stride, stride), same((height, width), kernel, stride), clamp=RELU)
    constants = ((out_c, *kernel, in_c), (out_c,))
    return LayerShape(Op.CONV_2D, ((1, height, width, in_c),), attrs, constants)


def grouped(
    height: int, width: int, in_c: int, out_c: int, groups: int, stride: int = 1
) -> LayerShape:
    attrs = Conv2DAttrs(
        (stride, stride), same((height, width), THREE, stride), groups=groups, clamp=RELU
    )
    constants = ((out_c, *THREE, in_c // groups), (out_c,))
    return LayerShape(Op.CONV_2D, ((1, height, width, in_c),), attrs, constants)


def depthwise(height: int, width: int, channels: int, kernel: Size, stride: int = 1) -> LayerShape:
    padding = same((height, width), kernel, stride)
    attrs = DepthwiseConv2DAttrs((stride, stride), padding, clamp=RELU)
    constants = ((1, *kernel, channels), (channels,))
    return LayerShape(Op.DEPTHWISE_CONV_2D, ((1, height, width, channels),), attrs, constants)


def connected(in_c: int, out_c: int) -> LayerShape:
    constants = ((out_c, in_c), (out_c,))
    return LayerShape(Op.FULLY_CONNECTED, ((1, in_c),), FullyConnectedAttrs(), constants)


def join(op: Op, height: int, width: int, channels: int) -> LayerShape:
    return LayerShape(op, ((1, height, width, channels),) * 2, OPS[op].attrs())


def scale(height: int, width: int, channels: int) -> LayerShape:
    """Each channel times a number, as after squeeze and excitation."""
    return LayerShape(
        Op.MUL, ((1, height, width, channels), (1, 1, 1, channels)), OPS[Op.MUL].attrs()
    )


def pool(op: Op, height: int, width: int, channels: int, kernel: Size, stride: int) -> LayerShape:
    attrs = PoolAttrs(kernel, (stride, stride))
    return LayerShape(op, ((1, height, width, channels),), attrs)


def mean(height: int, width: int, channels: int) -> LayerShape:
    return LayerShape(Op.MEAN, ((1, height, width, channels),), MeanAttrs((1, 2)))


def product(lead: Shape, m: int, k: int, p: int, transpose_b: bool) -> LayerShape:
    """Two activations multiplied, as queries by keys or, not transposed, weights by values."""
    b = (p, k) if transpose_b else (k, p)
    return LayerShape(
        Op.MATMUL, ((1, *lead, m, k), (1, *lead, *b)), MatmulAttrs(transpose_b=transpose_b)
    )


def attention(queries: int, keys: int, channels: int, heads: int) -> LayerShape:
    inputs = ((1, queries, channels), (1, keys, channels), (1, keys, channels))
    return LayerShape(Op.ATTENTION, inputs, AttentionAttrs(heads, (channels / heads) ** -0.5))


def covariance(tokens: int, channels: int, heads: int) -> LayerShape:
    inputs = ((1, tokens, channels),) * 3
    return LayerShape(Op.CROSS_COVARIANCE, inputs, CrossCovarianceAttrs(heads), ((heads,),))


def simple(op: Op, *shape: int) -> LayerShape:
    return LayerShape(op, ((1, *shape),), OPS[op].attrs())


ONE, THREE, FIVE, THREE_WIDE = (1, 1), (3, 3), (5, 5), (1, 3)

SHAPES: tuple[LayerShape, ...] = (
    *(conv(*s, ONE) for s in [
        (25, 5, 64, 64), (48, 48, 8, 16), (24, 24, 16, 32), (12, 12, 32, 64), (6, 6, 128, 128),
        (3, 3, 256, 256), (16, 16, 24, 96), (16, 16, 96, 24), (10, 10, 7, 5), (1, 1, 128, 32),
        (7, 7, 40, 18), (14, 14, 64, 32),
    ]),
    *(conv(*s, ONE, 2) for s in [(32, 32, 16, 32), (16, 16, 32, 64), (10, 10, 8, 12)]),
    *(conv(*s, THREE) for s in [
        (32, 32, 3, 16), (32, 32, 16, 16), (16, 16, 32, 32), (8, 8, 64, 64), (20, 20, 8, 8),
        (9, 9, 7, 9), (28, 28, 1, 8), (12, 12, 16, 24), (6, 6, 32, 64), (5, 5, 12, 20),
        (24, 24, 4, 32), (14, 14, 40, 40), (10, 10, 12, 8), (7, 7, 20, 36),
    ]),
    *(conv(*s, THREE, 2) for s in [
        (32, 32, 16, 32), (16, 16, 32, 64), (96, 96, 3, 8), (33, 33, 3, 16), (12, 12, 24, 32),
    ]),
    conv(49, 10, 1, 64, (10, 4), 2),
    conv(20, 20, 4, 16, FIVE),
    conv(16, 16, 8, 16, FIVE),
    *(conv(1, *s, (1, 5)) for s in [(64, 8, 16), (128, 16, 16), (32, 48, 48), (50, 1, 12)]),
    conv(1, 40, 20, 8, THREE_WIDE, 2),
    *(depthwise(*s, THREE) for s in [
        (25, 5, 64), (48, 48, 8), (24, 24, 32), (12, 12, 64), (6, 6, 128), (3, 3, 256),
        (10, 10, 7), (32, 32, 16), (8, 8, 40), (1, 1, 32),
    ]),
    *(depthwise(*s, THREE, 2) for s in [
        (48, 48, 16), (24, 24, 32), (12, 12, 64), (6, 6, 128), (15, 15, 9),
    ]),
    *(depthwise(*s, FIVE) for s in [(14, 14, 24), (7, 7, 48), (28, 28, 8)]),
    depthwise(14, 14, 24, FIVE, 2),
    depthwise(1, 64, 16, (1, 5)),
    *(connected(*s) for s in [
        (640, 128), (128, 128), (128, 8), (8, 128), (128, 640), (64, 10), (1024, 64), (256, 2),
        (33, 17), (400, 40),
    ]),
    *(join(op, *s) for op in (Op.ADD, Op.SUB, Op.MUL) for s in [
        (32, 32, 16), (16, 16, 32), (8, 8, 64), (5, 5, 7), (25, 5, 64), (1, 1, 10),
    ]),
    *(scale(*s) for s in [(16, 16, 32), (8, 8, 64), (5, 5, 7), (25, 5, 64)]),
    *(pool(Op.AVERAGE_POOL, *s) for s in [
        (25, 5, 64, (25, 5), 1), (8, 8, 64, (8, 8), 1), (16, 16, 32, (2, 2), 2),
        (12, 12, 24, THREE, 1), (9, 9, 7, THREE, 2), (32, 32, 16, (4, 4), 4),
    ]),
    *(pool(Op.MAX_POOL, *s) for s in [
        (28, 28, 8, (2, 2), 2), (16, 16, 32, (2, 2), 2), (8, 8, 64, THREE, 2),
        (9, 9, 7, THREE, 1), (32, 32, 16, (2, 2), 2), (12, 12, 6, (4, 4), 4),
    ]),
    *(mean(*s) for s in [
        (8, 8, 64), (25, 5, 64), (7, 7, 40), (3, 3, 256), (16, 16, 9), (4, 4, 16),
    ]),
    *(simple(Op.SOFTMAX, n) for n in (2, 10, 12, 100, 1000)),
    *(simple(op, *s) for op in (Op.HARD_SWISH, Op.SIGMOID) for s in [
        (16, 16, 32), (8, 8, 64), (5, 5, 7), (128,),
    ]),
    *(product(lead, *sizes) for lead, sizes in [
        ((), (32, 32, 32, True)), ((), (32, 32, 32, False)), ((), (49, 16, 49, True)),
        ((), (49, 49, 16, False)), ((2,), (25, 16, 25, True)), ((2,), (25, 25, 16, False)),
        ((), (10, 7, 5, False)), ((4,), (16, 8, 16, True)), ((), (1, 64, 32, False)),
    ]),
    *(attention(*s) for s in [
        (196, 196, 96, 1), (49, 49, 64, 2), (144, 36, 96, 3), (9, 9, 96, 1), (25, 25, 21, 1),
        (16, 16, 32, 4),
    ]),
    *(covariance(*s) for s in [
        (256, 48, 4), (64, 88, 4), (16, 168, 4), (100, 24, 2), (25, 36, 3),
    ]),
    *(grouped(*s) for s in [
        (14, 14, 64, 64, 2), (12, 12, 96, 96, 3), (6, 6, 192, 192, 6), (8, 8, 32, 32, 4),
        (12, 12, 64, 64, 4), (9, 9, 12, 12, 2), (10, 10, 16, 16, 4), (7, 7, 16, 36, 2),
        (14, 14, 64, 64, 2, 2), (15, 15, 32, 64, 4, 2),
    ]),
)  # fmt: skip


def networks(shapes: Sequence[LayerShape], layers: int) -> list[Graph]:
    """Quantized graphs with up to ``layers`` of these side by side, each with ends of its own."""
    return [_network(shapes[i : i + layers]) for i in range(0, len(shapes), layers)]


def _network(shapes: Sequence[LayerShape]) -> Graph:
    """Random weights of unequal channels, and ranges that random inputs fill."""
    rng = np.random.default_rng(len(shapes))
    tensors: dict[str, Tensor] = {}
    nodes, inputs, samples = [], [], {}
    for i, shape in enumerate(shapes):
        names = []
        for j, each in enumerate(shape.inputs):
            names.append(f"input_{i}_{j}")
            tensors[names[-1]] = Tensor(names[-1], each, DType.FLOAT32)
            values = rng.normal(size=(CALIBRATION, *each[1:]))
            samples[names[-1]] = values.astype(np.float32)
        inputs += names
        for j, each in enumerate(shape.constants):
            names.append(f"constant_{i}_{j}")
            channels = rng.uniform(0.5, 2.0, each[0] if len(each) != 4 or each[0] > 1 else each[-1])
            spread = (
                channels
                if each[-1] == len(channels)
                else channels.reshape(-1, *(1,) * (len(each) - 1))
            )
            values = rng.normal(size=each) * spread / np.sqrt(np.prod(each[1:-1], initial=1.0))
            tensors[names[-1]] = Tensor.constant(names[-1], values.astype(np.float32))
        operands = [tensors[name].shape for name in names]
        result = Tensor(f"output_{i}", OPS[shape.op].infer(shape.attrs, *operands), DType.FLOAT32)
        tensors[result.name] = result
        nodes.append(Node(f"layer_{i}", shape.op, tuple(names), (result.name,), shape.attrs))
    outputs = tuple(node.output for node in nodes)
    graph = Graph("tuning", tuple(nodes), tensors, tuple(inputs), outputs)
    check_graph(graph, after="the tuning network")
    options = QuantizeOptions(ranges=RangeMethod.MINMAX, bias_correction=False)
    return quantize_model(graph, samples, options)
