"""How each operation is written with TFLite's builtin operators: one table."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.codegen.tflite.ops.activations import plain, write_leaky_relu, write_softmax
from tinyflow.codegen.tflite.ops.argmax import write_argmax
from tinyflow.codegen.tflite.ops.binary import write_binary
from tinyflow.codegen.tflite.ops.clamp import write_clamp
from tinyflow.codegen.tflite.ops.conv import write_conv, write_depthwise
from tinyflow.codegen.tflite.ops.fully_connected import write_fully_connected
from tinyflow.codegen.tflite.ops.matmul import write_matmul
from tinyflow.codegen.tflite.ops.mean import write_mean
from tinyflow.codegen.tflite.ops.moves import (
    write_concat,
    write_pad,
    write_reshape,
    write_slice,
    write_transpose,
)
from tinyflow.codegen.tflite.ops.pool import write_average_pool, write_max_pool
from tinyflow.codegen.tflite.ops.resize import resize
from tinyflow.codegen.tflite.ops.transpose_conv import write_transpose_conv
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node, Op

HANDLERS: dict[Op, Callable[[Writer, Node], None]] = {
    Op.ADD: write_binary,
    Op.ARGMAX: write_argmax,
    Op.AVERAGE_POOL: write_average_pool,
    Op.CLAMP: write_clamp,
    Op.CONCAT: write_concat,
    Op.CONV_2D: write_conv,
    Op.DEPTHWISE_CONV_2D: write_depthwise,
    Op.FULLY_CONNECTED: write_fully_connected,
    Op.HARD_SWISH: plain("HARD_SWISH", "HardSwishOptions"),
    Op.L2_NORM: plain("L2_NORMALIZATION", "L2NormOptions"),
    Op.LEAKY_RELU: write_leaky_relu,
    Op.MATMUL: write_matmul,
    Op.MAXIMUM: plain("MAXIMUM", "MaximumMinimumOptions"),
    Op.MAX_POOL: write_max_pool,
    Op.MEAN: write_mean,
    Op.MINIMUM: plain("MINIMUM", "MaximumMinimumOptions"),
    Op.MUL: write_binary,
    Op.PAD: write_pad,
    Op.PRELU: plain("PRELU"),
    Op.QUANTIZE: plain("QUANTIZE", "QuantizeOptions"),
    Op.RESHAPE: write_reshape,
    Op.RESIZE_BILINEAR: resize("RESIZE_BILINEAR"),
    Op.RESIZE_NEAREST: resize("RESIZE_NEAREST_NEIGHBOR"),
    Op.SIGMOID: plain("LOGISTIC"),
    Op.SLICE: write_slice,
    Op.SOFTMAX: write_softmax,
    Op.SUB: write_binary,
    Op.TANH: plain("TANH"),
    Op.TRANSPOSE: write_transpose,
    Op.TRANSPOSE_CONV_2D: write_transpose_conv,
}
"""A handler raises `NoBuiltinError`, before it emits anything, for a node that only a custom
operator computes bit for bit."""

__all__ = ["HANDLERS"]
