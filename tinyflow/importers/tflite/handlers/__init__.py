"""The table of TFLite operators that TinyFlow imports, and how.

A handler's docstring is the rule that users read: what of the operator is supported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.handlers import (
    arithmetic,
    convolution,
    fully_connected,
    joining,
    l2_normalization,
    matmul,
    mean,
    pooling,
    quantization,
    resize,
    shape,
    slicing,
    softmax,
    transpose_conv,
    unary,
)

if TYPE_CHECKING:
    from tinyflow.importers.tflite.importer import Importer

Handler = Callable[["Importer", RawOperator], None]

HANDLERS: dict[str, Handler] = {
    "ADD": arithmetic.add,
    "AVERAGE_POOL_2D": pooling.average_pool,
    "BATCH_MATMUL": matmul.batch_matmul,
    "CONCATENATION": joining.concatenation,
    "CONV_2D": convolution.conv_2d,
    "DEPTHWISE_CONV_2D": convolution.depthwise_conv_2d,
    "DEQUANTIZE": quantization.dequantize,
    "EXPAND_DIMS": shape.expand_dims,
    "FULLY_CONNECTED": fully_connected.fully_connected,
    "HARD_SWISH": unary.hard_swish,
    "L2_NORMALIZATION": l2_normalization.l2_normalization,
    "LEAKY_RELU": unary.leaky_relu,
    "LOGISTIC": unary.logistic,
    "MAXIMUM": arithmetic.maximum,
    "MAX_POOL_2D": pooling.max_pool,
    "MEAN": mean.mean,
    "MINIMUM": arithmetic.minimum,
    "MUL": arithmetic.mul,
    "PAD": joining.pad,
    "PADV2": joining.pad_v2,
    "PRELU": arithmetic.prelu,
    "QUANTIZE": quantization.quantize,
    "RELU": unary.relu,
    "RELU6": unary.relu6,
    "RELU_0_TO_1": unary.relu_0_to_1,
    "RELU_N1_TO_1": unary.relu_n1_to_1,
    "RESHAPE": shape.reshape,
    "RESIZE_BILINEAR": resize.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": resize.resize_nearest_neighbor,
    "SLICE": slicing.slice_,
    "SOFTMAX": softmax.softmax,
    "SPLIT": slicing.split,
    "SPLIT_V": slicing.split_v,
    "SQUEEZE": shape.squeeze,
    "STRIDED_SLICE": slicing.strided_slice,
    "SUB": arithmetic.sub,
    "TANH": unary.tanh,
    "TRANSPOSE": shape.transpose,
    "TRANSPOSE_CONV": transpose_conv.transpose_conv,
}

__all__ = ["HANDLERS", "Handler"]
