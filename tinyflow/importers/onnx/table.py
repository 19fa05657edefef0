"""Which handler translates which ONNX operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tinyflow.importers.common import formulas
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
    convert_prelu,
)
from tinyflow.importers.onnx.ops.arg_extremes import convert_argmax, convert_argmin
from tinyflow.importers.onnx.ops.arithmetic import (
    convert_add,
    convert_div,
    convert_max,
    convert_mean,
    convert_min,
    convert_mul,
    convert_pow,
    convert_sub,
    convert_sum,
)
from tinyflow.importers.onnx.ops.attention import convert_attention
from tinyflow.importers.onnx.ops.batch_norm import convert_batch_norm
from tinyflow.importers.onnx.ops.center_crop_pad import convert_center_crop_pad
from tinyflow.importers.onnx.ops.concat import convert_concat
from tinyflow.importers.onnx.ops.conv import convert_conv
from tinyflow.importers.onnx.ops.conv_transpose import convert_conv_transpose
from tinyflow.importers.onnx.ops.cumulative import convert_cumprod, convert_cumsum
from tinyflow.importers.onnx.ops.depth_to_space import (
    convert_depth_to_space,
    convert_space_to_depth,
)
from tinyflow.importers.onnx.ops.einsum import convert_einsum
from tinyflow.importers.onnx.ops.functions import (
    convert_celu,
    convert_elu,
    convert_selu,
    convert_shrink,
    convert_swish,
    convert_thresholded_relu,
)
from tinyflow.importers.onnx.ops.gather import (
    convert_compress,
    convert_gather,
    convert_gather_elements,
    convert_gather_nd,
    convert_reverse_sequence,
)
from tinyflow.importers.onnx.ops.gemm import convert_gemm
from tinyflow.importers.onnx.ops.global_pool import (
    convert_global_average_pool,
    convert_global_lp_pool,
    convert_global_max_pool,
)
from tinyflow.importers.onnx.ops.layer_norm import convert_layer_norm
from tinyflow.importers.onnx.ops.matmul import convert_matmul
from tinyflow.importers.onnx.ops.normalizations import (
    convert_group_norm,
    convert_instance_norm,
    convert_lp_normalization,
    convert_lrn,
    convert_mean_variance_norm,
    convert_rms_norm,
)
from tinyflow.importers.onnx.ops.nothing import (
    convert_cast,
    convert_cast_like,
    convert_dropout,
    convert_identity,
)
from tinyflow.importers.onnx.ops.pad import convert_pad
from tinyflow.importers.onnx.ops.pool import (
    convert_average_pool,
    convert_lp_pool,
    convert_max_pool,
)
from tinyflow.importers.onnx.ops.quantization import (
    convert_dequantize,
    convert_qlinear_conv,
    convert_qlinear_matmul,
    convert_quantize,
)
from tinyflow.importers.onnx.ops.reductions import (
    convert_reduce_l1,
    convert_reduce_l2,
    convert_reduce_log_sum,
    convert_reduce_log_sum_exp,
    convert_reduce_max,
    convert_reduce_mean,
    convert_reduce_min,
    convert_reduce_prod,
    convert_reduce_sum,
    convert_reduce_sum_square,
)
from tinyflow.importers.onnx.ops.reshape import (
    convert_expand,
    convert_flatten,
    convert_reshape,
    convert_squeeze,
    convert_unsqueeze,
)
from tinyflow.importers.onnx.ops.resize import convert_resize, convert_upsample
from tinyflow.importers.onnx.ops.scatter import convert_scatter_elements, convert_scatter_nd
from tinyflow.importers.onnx.ops.slice import convert_slice
from tinyflow.importers.onnx.ops.softmax import (
    convert_hardmax,
    convert_log_softmax,
    convert_softmax,
)
from tinyflow.importers.onnx.ops.split import convert_split
from tinyflow.importers.onnx.ops.tile import convert_tile
from tinyflow.importers.onnx.ops.transpose import convert_transpose
from tinyflow.importers.onnx.ops.where import convert_trilu, convert_where
from tinyflow.ir.ops.function import Elementary

Handler = Callable[[Layer, Builder], tuple[str | Value, ...]]
"""Emits the nodes of a layer and returns its outputs: a `Value`, or the tensor of one whose shape
is the tensor's. Raises `RefusalError`.

The docstring of a handler is the user-facing rule of what it takes.
"""

HANDLERS: dict[str, Handler] = {
    "Abs": convert_abs,
    "Acos": partial(formulas.convert_elementary, elementary=Elementary.ACOS),
    "Acosh": partial(formulas.convert_elementary, elementary=Elementary.ACOSH),
    "Add": convert_add,
    "ArgMax": convert_argmax,
    "ArgMin": convert_argmin,
    "Asin": partial(formulas.convert_elementary, elementary=Elementary.ASIN),
    "Asinh": partial(formulas.convert_elementary, elementary=Elementary.ASINH),
    "Atan": partial(formulas.convert_elementary, elementary=Elementary.ATAN),
    "Atanh": partial(formulas.convert_elementary, elementary=Elementary.ATANH),
    "Attention": convert_attention,
    "AveragePool": convert_average_pool,
    "BatchNormalization": convert_batch_norm,
    "Cast": convert_cast,
    "CastLike": convert_cast_like,
    "Ceil": partial(formulas.convert_elementary, elementary=Elementary.CEIL),
    "Celu": convert_celu,
    "CenterCropPad": convert_center_crop_pad,
    "Clip": convert_clip,
    "Compress": convert_compress,
    "Concat": convert_concat,
    "Conv": convert_conv,
    "ConvTranspose": convert_conv_transpose,
    "Cos": partial(formulas.convert_elementary, elementary=Elementary.COS),
    "Cosh": partial(formulas.convert_elementary, elementary=Elementary.COSH),
    "CumProd": convert_cumprod,
    "CumSum": convert_cumsum,
    "DepthToSpace": convert_depth_to_space,
    "DequantizeLinear": convert_dequantize,
    "Div": convert_div,
    "Dropout": convert_dropout,
    "Einsum": convert_einsum,
    "Elu": convert_elu,
    "Erf": convert_erf,
    "Exp": convert_exp,
    "Expand": convert_expand,
    "Flatten": convert_flatten,
    "Floor": partial(formulas.convert_elementary, elementary=Elementary.FLOOR),
    "Gather": convert_gather,
    "GatherElements": convert_gather_elements,
    "GatherND": convert_gather_nd,
    "Gelu": convert_gelu,
    "Gemm": convert_gemm,
    "GlobalAveragePool": convert_global_average_pool,
    "GlobalLpPool": convert_global_lp_pool,
    "GlobalMaxPool": convert_global_max_pool,
    "GroupNormalization": convert_group_norm,
    "HardSigmoid": convert_hard_sigmoid,
    "HardSwish": convert_hard_swish,
    "Hardmax": convert_hardmax,
    "Identity": convert_identity,
    "InstanceNormalization": convert_instance_norm,
    "LRN": convert_lrn,
    "LayerNormalization": convert_layer_norm,
    "LeakyRelu": convert_leaky_relu,
    "Log": convert_log,
    "LogSoftmax": convert_log_softmax,
    "LpNormalization": convert_lp_normalization,
    "LpPool": convert_lp_pool,
    "MatMul": convert_matmul,
    "Max": convert_max,
    "MaxPool": convert_max_pool,
    "Mean": convert_mean,
    "MeanVarianceNormalization": convert_mean_variance_norm,
    "Min": convert_min,
    "Mish": formulas.convert_mish,
    "Mul": convert_mul,
    "Neg": convert_neg,
    "PRelu": convert_prelu,
    "Pad": convert_pad,
    "Pow": convert_pow,
    "QLinearConv": convert_qlinear_conv,
    "QLinearMatMul": convert_qlinear_matmul,
    "QuantizeLinear": convert_quantize,
    "RMSNormalization": convert_rms_norm,
    "Reciprocal": convert_reciprocal,
    "ReduceL1": convert_reduce_l1,
    "ReduceL2": convert_reduce_l2,
    "ReduceLogSum": convert_reduce_log_sum,
    "ReduceLogSumExp": convert_reduce_log_sum_exp,
    "ReduceMax": convert_reduce_max,
    "ReduceMean": convert_reduce_mean,
    "ReduceMin": convert_reduce_min,
    "ReduceProd": convert_reduce_prod,
    "ReduceSum": convert_reduce_sum,
    "ReduceSumSquare": convert_reduce_sum_square,
    "Relu": convert_relu,
    "Reshape": convert_reshape,
    "Resize": convert_resize,
    "ReverseSequence": convert_reverse_sequence,
    "Round": partial(formulas.convert_elementary, elementary=Elementary.ROUND),
    "Scatter": convert_scatter_elements,
    "ScatterElements": convert_scatter_elements,
    "ScatterND": convert_scatter_nd,
    "Selu": convert_selu,
    "Shrink": convert_shrink,
    "Sigmoid": convert_sigmoid,
    "Sign": partial(formulas.convert_elementary, elementary=Elementary.SIGN),
    "Sin": partial(formulas.convert_elementary, elementary=Elementary.SIN),
    "Sinh": partial(formulas.convert_elementary, elementary=Elementary.SINH),
    "Slice": convert_slice,
    "Softmax": convert_softmax,
    "Softplus": formulas.convert_softplus,
    "Softsign": formulas.convert_softsign,
    "SpaceToDepth": convert_space_to_depth,
    "Split": convert_split,
    "Sqrt": convert_sqrt,
    "Squeeze": convert_squeeze,
    "Sub": convert_sub,
    "Sum": convert_sum,
    "Swish": convert_swish,
    "Tan": partial(formulas.convert_elementary, elementary=Elementary.TAN),
    "Tanh": convert_tanh,
    "ThresholdedRelu": convert_thresholded_relu,
    "Tile": convert_tile,
    "Transpose": convert_transpose,
    "Trilu": convert_trilu,
    "Unsqueeze": convert_unsqueeze,
    "Upsample": convert_upsample,
    "Where": convert_where,
}

READS_CODES = frozenset({"DequantizeLinear", "QLinearConv", "QLinearMatMul"})
"""Operations whose operands may be in codes."""

MOVES = frozenset(
    {"Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape", "Slice", "Split", "Squeeze"}
    | {"Transpose", "Unsqueeze"}
)
"""Operations whose results are elements of their first operand as they are."""
