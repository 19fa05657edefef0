"""How each operation calls its kernels: one file each, one table."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops import (
    add,
    argmax,
    attention,
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
    mul,
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
from tinyflow.ir import Op

BINDINGS: dict[Op, Callable[[Layer], list[KernelCall]]] = {
    Op.ABS: table.bind,
    Op.ADD: add.bind,
    Op.ARGMAX: argmax.bind,
    Op.ATTENTION: attention.bind,
    Op.AVERAGE_POOL: pool.bind,
    Op.CHANNEL_GATE: channel_gate.bind,
    Op.CLAMP: table.bind,
    Op.CONCAT: concat.bind,
    Op.CONV_2D: conv2d.bind,
    Op.CROSS_COVARIANCE: cross_covariance.bind,
    Op.DEPTHWISE_CONV_2D: depthwise_conv2d.bind,
    Op.DETECTION: detection.bind,
    Op.ERF: table.bind,
    Op.EXP: table.bind,
    Op.FULLY_CONNECTED: fully_connected.bind,
    Op.FUNCTION: table.bind,
    Op.GELU: table.bind,
    Op.HARD_SIGMOID: table.bind,
    Op.HARD_SWISH: table.bind,
    Op.L2_NORM: l2_norm.bind,
    Op.LAYER_NORM: layer_norm.bind,
    Op.LEAKY_RELU: table.bind,
    Op.LOG: table.bind,
    Op.MATMUL: matmul.bind,
    Op.MAXIMUM: extremum.bind,
    Op.MAX_POOL: pool.bind,
    Op.MEAN: mean.bind,
    Op.MINIMUM: extremum.bind,
    Op.MUL: mul.bind,
    Op.PAD: pad.bind,
    Op.POWER: table.bind,
    Op.PRELU: prelu.bind,
    Op.QUANTIZE: table.bind,
    Op.RESHAPE: reshape.bind,
    Op.RESIZE_BILINEAR: resize_bilinear.bind,
    Op.RESIZE_NEAREST: resize_nearest.bind,
    Op.SIGMOID: table.bind,
    Op.SLICE: slice.bind,
    Op.SOFTMAX: softmax.bind,
    Op.SUB: add.bind,
    Op.TANH: table.bind,
    Op.TRANSPOSE: transpose.bind,
    Op.TRANSPOSE_CONV_2D: transpose_conv2d.bind,
}
"""``BINDINGS[op](layer)`` lists the kernel calls that compute a layer; none for an operation that
needs no code. Operations that have no integers are absent: constraints refuse them."""

__all__ = ["BINDINGS"]
