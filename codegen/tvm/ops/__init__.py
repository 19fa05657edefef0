"""The TensorIR of each operation: one file each, one table."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.codegen.tvm.kernel import Kernel, Lowering
from tinyflow.codegen.tvm.ops import (
    argmax,
    attention,
    binary,
    channel_gate,
    concat,
    conv2d,
    cross_covariance,
    depthwise_conv2d,
    detection,
    extremum,
    fully_connected,
    l2_norm,
    layer_norm,
    matmul,
    mean,
    pad,
    pool,
    prelu,
    reshape,
    resize_bilinear,
    resize_nearest,
    slice,
    softmax,
    table,
    transpose,
    transpose_conv2d,
)
from tinyflow.ir import Graph, Node, Op

LOWERINGS: dict[Op, Lowering] = {
    Op.ABS: table.lower,
    Op.ADD: binary.lower,
    Op.ARGMAX: argmax.lower,
    Op.ATTENTION: attention.lower,
    Op.AVERAGE_POOL: pool.lower,
    Op.CHANNEL_GATE: channel_gate.lower,
    Op.CLAMP: table.lower,
    Op.CONV_2D: conv2d.lower,
    Op.CROSS_COVARIANCE: cross_covariance.lower,
    Op.DEPTHWISE_CONV_2D: depthwise_conv2d.lower,
    Op.DETECTION: detection.lower,
    Op.ERF: table.lower,
    Op.EXP: table.lower,
    Op.FULLY_CONNECTED: fully_connected.lower,
    Op.FUNCTION: table.lower,
    Op.GELU: table.lower,
    Op.HARD_SIGMOID: table.lower,
    Op.HARD_SWISH: table.lower,
    Op.L2_NORM: l2_norm.lower,
    Op.LAYER_NORM: layer_norm.lower,
    Op.LEAKY_RELU: table.lower,
    Op.LOG: table.lower,
    Op.MATMUL: matmul.lower,
    Op.MAXIMUM: extremum.lower,
    Op.MAX_POOL: pool.lower,
    Op.MEAN: mean.lower,
    Op.MINIMUM: extremum.lower,
    Op.MUL: binary.lower,
    Op.PAD: pad.lower,
    Op.POWER: table.lower,
    Op.PRELU: prelu.lower,
    Op.QUANTIZE: table.lower,
    Op.RESHAPE: reshape.lower,
    Op.RESIZE_BILINEAR: resize_bilinear.lower,
    Op.RESIZE_NEAREST: resize_nearest.lower,
    Op.SIGMOID: table.lower,
    Op.SLICE: slice.lower,
    Op.SOFTMAX: softmax.lower,
    Op.SUB: binary.lower,
    Op.TANH: table.lower,
    Op.TRANSPOSE: transpose.lower,
    Op.TRANSPOSE_CONV_2D: transpose_conv2d.lower,
}
"""``LOWERINGS[op](graph, node)`` is the kernel of a quantized node."""

PIECES: dict[Op, Callable[[Graph, Node, int], Kernel]] = {Op.CONCAT: concat.lower}
"""``PIECES[op](graph, node, i)`` is the kernel that puts operand i in its place of the result;
other operands are none of its arguments."""

__all__ = ["LOWERINGS", "PIECES"]
