"""Which handler translates which ONNX operation."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.importers.common.activations import (
    convert_abs,
    convert_erf,
    convert_exp,
    convert_hard_swish,
    convert_log,
    convert_neg,
    convert_reciprocal,
    convert_relu,
    convert_sigmoid,
    convert_sqrt,
    convert_tanh,
)
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.onnx.ops.activations import (
    convert_clip,
    convert_gelu,
    convert_hard_sigmoid,
    convert_leaky_relu,
)
from tinyflow.importers.onnx.ops.arithmetic import (
    convert_add,
    convert_div,
    convert_max,
    convert_min,
    convert_mul,
    convert_pow,
    convert_sub,
)
from tinyflow.importers.onnx.ops.attention import convert_attention
from tinyflow.importers.onnx.ops.batch_norm import convert_batch_norm
from tinyflow.importers.onnx.ops.concat import convert_concat
from tinyflow.importers.onnx.ops.conv import convert_conv
from tinyflow.importers.onnx.ops.conv_transpose import convert_conv_transpose
from tinyflow.importers.onnx.ops.gather import convert_gather
from tinyflow.importers.onnx.ops.gemm import convert_gemm
from tinyflow.importers.onnx.ops.global_pool import (
    convert_global_average_pool,
    convert_global_max_pool,
)
from tinyflow.importers.onnx.ops.layer_norm import convert_layer_norm
from tinyflow.importers.onnx.ops.matmul import convert_matmul
from tinyflow.importers.onnx.ops.nothing import convert_cast, convert_dropout, convert_identity
from tinyflow.importers.onnx.ops.pad import convert_pad
from tinyflow.importers.onnx.ops.pool import convert_average_pool, convert_max_pool
from tinyflow.importers.onnx.ops.reductions import (
    convert_lp_normalization,
    convert_reduce_l2,
    convert_reduce_mean,
    convert_reduce_sum,
)
from tinyflow.importers.onnx.ops.reshape import (
    convert_expand,
    convert_flatten,
    convert_reshape,
    convert_squeeze,
    convert_unsqueeze,
)
from tinyflow.importers.onnx.ops.resize import convert_resize, convert_upsample
from tinyflow.importers.onnx.ops.slice import convert_slice
from tinyflow.importers.onnx.ops.softmax import convert_softmax
from tinyflow.importers.onnx.ops.split import convert_split
from tinyflow.importers.onnx.ops.transpose import convert_transpose

Handler = Callable[[Layer, Builder], tuple[str | Value, ...]]
"""Emits the nodes of a layer and returns its outputs: a `Value`, or the tensor of one whose shape
is the tensor's. Raises `RefusalError`.

The docstring of a handler is the user-facing rule of what it takes.
"""

HANDLERS: dict[str, Handler] = {
    "Abs": convert_abs,
    "Add": convert_add,
    "Attention": convert_attention,
    "AveragePool": convert_average_pool,
    "BatchNormalization": convert_batch_norm,
    "Cast": convert_cast,
    "Clip": convert_clip,
    "Concat": convert_concat,
    "Conv": convert_conv,
    "ConvTranspose": convert_conv_transpose,
    "Div": convert_div,
    "Dropout": convert_dropout,
    "Erf": convert_erf,
    "Exp": convert_exp,
    "Expand": convert_expand,
    "Flatten": convert_flatten,
    "Gather": convert_gather,
    "Gelu": convert_gelu,
    "Gemm": convert_gemm,
    "GlobalAveragePool": convert_global_average_pool,
    "GlobalMaxPool": convert_global_max_pool,
    "HardSigmoid": convert_hard_sigmoid,
    "HardSwish": convert_hard_swish,
    "Identity": convert_identity,
    "LayerNormalization": convert_layer_norm,
    "LeakyRelu": convert_leaky_relu,
    "Log": convert_log,
    "LpNormalization": convert_lp_normalization,
    "MatMul": convert_matmul,
    "Max": convert_max,
    "MaxPool": convert_max_pool,
    "Min": convert_min,
    "Mul": convert_mul,
    "Neg": convert_neg,
    "Pad": convert_pad,
    "Pow": convert_pow,
    "Reciprocal": convert_reciprocal,
    "ReduceL2": convert_reduce_l2,
    "ReduceMean": convert_reduce_mean,
    "ReduceSum": convert_reduce_sum,
    "Relu": convert_relu,
    "Reshape": convert_reshape,
    "Resize": convert_resize,
    "Sigmoid": convert_sigmoid,
    "Slice": convert_slice,
    "Softmax": convert_softmax,
    "Split": convert_split,
    "Sqrt": convert_sqrt,
    "Squeeze": convert_squeeze,
    "Sub": convert_sub,
    "Tanh": convert_tanh,
    "Transpose": convert_transpose,
    "Unsqueeze": convert_unsqueeze,
    "Upsample": convert_upsample,
}
