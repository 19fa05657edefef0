"""Which handler translates which ATen operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tinyflow.importers.common import activations as common
from tinyflow.importers.common import formulas
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer
from tinyflow.importers.torch.ops import activations as act
from tinyflow.importers.torch.ops import (
    arithmetic,
    attention,
    choice,
    convolution,
    functions,
    linear,
    nothing,
    pad,
    pooling,
    quantization,
    rearranging,
    reductions,
    resizing,
    views,
)
from tinyflow.importers.torch.ops import normalization as norm
from tinyflow.ir.ops.function import Elementary

Handler = Callable[[Layer, Builder], tuple[str | Value, ...]]
"""As in the ONNX importer. Inputs are the tensors of an operation's signature, in order; all other
arguments are attributes by their names there. Others than these do not occur: programs come with
composite operations such as reshape, flatten and dropout taken apart.

The docstring of a handler is the user-facing rule of what it takes.
"""

HANDLERS: dict[str, Handler] = {
    "_adaptive_avg_pool2d": pooling.convert_adaptive_average_pool,
    "_log_softmax": attention.convert_log_softmax,
    "_native_batch_norm_legit_no_training": norm.convert_batch_norm,
    "_softmax": attention.convert_softmax,
    "_to_copy": nothing.convert_cast,
    "_unsafe_view": views.convert_reshape,
    "abs": common.convert_abs,
    "acos": partial(formulas.convert_elementary, elementary=Elementary.ACOS),
    "acosh": partial(formulas.convert_elementary, elementary=Elementary.ACOSH),
    "adaptive_avg_pool1d": pooling.convert_adaptive_average_pool,
    "adaptive_avg_pool2d": pooling.convert_adaptive_average_pool,
    "adaptive_max_pool1d": pooling.convert_adaptive_max_pool,
    "adaptive_max_pool2d": pooling.convert_adaptive_max_pool,
    "add": arithmetic.convert_add,
    "addmm": linear.convert_addmm,
    "as_strided": views.convert_as_strided,
    "asin": partial(formulas.convert_elementary, elementary=Elementary.ASIN),
    "asinh": partial(formulas.convert_elementary, elementary=Elementary.ASINH),
    "atan": partial(formulas.convert_elementary, elementary=Elementary.ATAN),
    "atanh": partial(formulas.convert_elementary, elementary=Elementary.ATANH),
    "avg_pool1d": pooling.convert_average_pool,
    "avg_pool2d": pooling.convert_average_pool,
    "baddbmm": linear.convert_baddbmm,
    "bmm": linear.convert_matmul,
    "cat": views.convert_cat,
    "ceil": partial(formulas.convert_elementary, elementary=Elementary.CEIL),
    "celu": functions.convert_celu,
    "clamp": act.convert_clamp,
    "clamp_max": act.convert_clamp,
    "clamp_min": act.convert_clamp,
    "clone": nothing.convert_nothing,
    "constant_pad_nd": pad.convert_pad,
    "conv1d": convolution.convert_conv,
    "conv2d": convolution.convert_conv,
    "conv_transpose1d": convolution.convert_conv_transpose,
    "conv_transpose2d": convolution.convert_conv_transpose,
    "convolution": convolution.convert_conv,
    "cos": partial(formulas.convert_elementary, elementary=Elementary.COS),
    "cosh": partial(formulas.convert_elementary, elementary=Elementary.COSH),
    "detach": nothing.convert_nothing,
    "div": arithmetic.convert_div,
    "elu": functions.convert_elu,
    "erf": common.convert_erf,
    "erfc": functions.convert_erfc,
    "exp": common.convert_exp,
    "exp2": functions.convert_exp2,
    "expand": views.convert_expand,
    "expm1": partial(formulas.convert_elementary, elementary=Elementary.EXPM1),
    "flip": rearranging.convert_flip,
    "floor": partial(formulas.convert_elementary, elementary=Elementary.FLOOR),
    "gelu": act.convert_gelu,
    "hardsigmoid": act.convert_hardsigmoid,
    "hardswish": common.convert_hard_swish,
    "hardtanh": act.convert_hardtanh,
    "index": views.convert_index,
    "index_select": views.convert_index_select,
    "layer_norm": norm.convert_layer_norm,
    "leaky_relu": act.convert_leaky_relu,
    "linalg_vector_norm": reductions.convert_vector_norm,
    "linear": linear.convert_linear,
    "log": common.convert_log,
    "log10": functions.convert_log10,
    "log1p": partial(formulas.convert_elementary, elementary=Elementary.LOG1P),
    "log2": functions.convert_log2,
    "log_sigmoid": formulas.convert_log_sigmoid,
    "log_softmax": attention.convert_log_softmax,
    "matmul": linear.convert_matmul,
    "max_pool1d": pooling.convert_max_pool,
    "max_pool2d": pooling.convert_max_pool,
    "max_pool2d_with_indices": pooling.convert_max_pool,
    "maximum": arithmetic.convert_maximum,
    "mean": reductions.convert_mean,
    "minimum": arithmetic.convert_minimum,
    "mish": formulas.convert_mish,
    "mm": linear.convert_matmul,
    "mul": arithmetic.convert_mul,
    "native_layer_norm": norm.convert_layer_norm,
    "neg": common.convert_neg,
    "pad": pad.convert_pad,
    "permute": views.convert_permute,
    "pixel_shuffle": rearranging.convert_pixel_shuffle,
    "pixel_unshuffle": rearranging.convert_pixel_unshuffle,
    "pow": act.convert_pow,
    "prelu": act.convert_prelu,
    "quantized_decomposed.dequantize_per_channel": quantization.convert_dequantize,
    "quantized_decomposed.dequantize_per_tensor": quantization.convert_dequantize,
    "quantized_decomposed.quantize_per_tensor": quantization.convert_quantize,
    "reciprocal": common.convert_reciprocal,
    "relu": common.convert_relu,
    "relu6": act.convert_relu6,
    "repeat": rearranging.convert_repeat,
    "round": functions.convert_round,
    "rsqrt": act.convert_rsqrt,
    "rsub": arithmetic.convert_rsub,
    "scaled_dot_product_attention": attention.convert_attention,
    "select": views.convert_select,
    "selu": functions.convert_selu,
    "sigmoid": common.convert_sigmoid,
    "sign": partial(formulas.convert_elementary, elementary=Elementary.SIGN),
    "silu": act.convert_silu,
    "sin": partial(formulas.convert_elementary, elementary=Elementary.SIN),
    "sinh": partial(formulas.convert_elementary, elementary=Elementary.SINH),
    "slice": views.convert_slice,
    "softmax": attention.convert_softmax,
    "softplus": formulas.convert_softplus,
    "split": views.convert_split,
    "split_with_sizes": views.convert_split,
    "sqrt": common.convert_sqrt,
    "square": act.convert_square,
    "squeeze": views.convert_reshape,
    "stack": views.convert_stack,
    "sub": arithmetic.convert_sub,
    "sum": reductions.convert_sum,
    "tan": partial(formulas.convert_elementary, elementary=Elementary.TAN),
    "tanh": common.convert_tanh,
    "threshold": functions.convert_threshold,
    "transpose": views.convert_transpose,
    "tril": rearranging.convert_tril,
    "triu": rearranging.convert_triu,
    "trunc": partial(formulas.convert_elementary, elementary=Elementary.TRUNC),
    "unbind": views.convert_unbind,
    "unsqueeze": views.convert_reshape,
    "upsample_bilinear2d": resizing.convert_bilinear,
    "upsample_linear1d": resizing.convert_bilinear,
    "upsample_nearest1d": resizing.convert_nearest,
    "upsample_nearest2d": resizing.convert_nearest,
    "view": views.convert_reshape,
    "where": choice.convert_where,
}

READS_CODES = frozenset(op for op in HANDLERS if op.startswith("quantized_decomposed."))
"""Operations whose operand may be in codes."""

MOVES = frozenset(
    {"clone", "detach", "expand", "max_pool1d", "max_pool2d", "permute", "select", "slice"}
    | {"squeeze", "transpose", "unsqueeze", "view", "_unsafe_view"}
)
"""Operations whose results are elements of their operand as they are."""
