"""The TensorIR of each operation: one file each, one table."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.codegen.tvm.kernel import Kernel, Lowering
from tinyflow.codegen.tvm.ops import (
    argmax,
    attention,
    channel_gate,
    concat,
    cross_covariance,
    detection,
    l2_norm,
    layer_norm,
    matmul,
    pad,
    reshape,
    resize_bilinear,
    resize_nearest,
    slice,
    softmax,
    table,
    transpose,
)
from tinyflow.ir import Graph, Node, Op

LOWERINGS: dict[Op, Lowering] = {
    Op.ABS: table.lower,
    Op.ARGMAX: argmax.lower,
    Op.ATTENTION: attention.lower,
    Op.CHANNEL_GATE: channel_gate.lower,
    Op.CLAMP: table.lower,
    Op.CROSS_COVARIANCE: cross_covariance.lower,
    Op.DETECTION: detection.lower,
    Op.ERF: table.lower,
    Op.EXP: table.lower,
    Op.FUNCTION: table.lower,
    Op.GELU: table.lower,
    Op.HARD_SIGMOID: table.lower,
    Op.HARD_SWISH: table.lower,
    Op.L2_NORM: l2_norm.lower,
    Op.LAYER_NORM: layer_norm.lower,
    Op.LEAKY_RELU: table.lower,
    Op.LOG: table.lower,
    Op.MATMUL: matmul.lower,
    Op.PAD: pad.lower,
    Op.POWER: table.lower,
    Op.QUANTIZE: table.lower,
    Op.RESHAPE: reshape.lower,
    Op.RESIZE_BILINEAR: resize_bilinear.lower,
    Op.RESIZE_NEAREST: resize_nearest.lower,
    Op.SIGMOID: table.lower,
    Op.SLICE: slice.lower,
    Op.SOFTMAX: softmax.lower,
    Op.TANH: table.lower,
    Op.TRANSPOSE: transpose.lower,
}
"""``LOWERINGS[op](graph, node)`` is the kernel of a quantized node."""

PIECES: dict[Op, Callable[[Graph, Node, int], Kernel]] = {Op.CONCAT: concat.lower}
"""``PIECES[op](graph, node, i)`` is the kernel that puts operand i in its place of the result;
other operands are none of its arguments."""

__all__ = ["LOWERINGS", "PIECES"]
