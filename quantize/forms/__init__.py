"""The integer form of each operation: one file each, one table."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.ir import IntegerForm, Op
from tinyflow.quantize.forms.accumulate import accumulate_form
from tinyflow.quantize.forms.add import add_form
from tinyflow.quantize.forms.argmax import argmax_form
from tinyflow.quantize.forms.attention import attention_form
from tinyflow.quantize.forms.channel_gate import channel_gate_form
from tinyflow.quantize.forms.clamp import clamp_form
from tinyflow.quantize.forms.cross_covariance import cross_covariance_form
from tinyflow.quantize.forms.detection import detection_form
from tinyflow.quantize.forms.extremum import extremum_form
from tinyflow.quantize.forms.function import function_form
from tinyflow.quantize.forms.hard_sigmoid import hard_sigmoid_form
from tinyflow.quantize.forms.hard_swish import hard_swish_form
from tinyflow.quantize.forms.l2_norm import l2_norm_form
from tinyflow.quantize.forms.layer_norm import layer_norm_form
from tinyflow.quantize.forms.leaky_relu import leaky_relu_form
from tinyflow.quantize.forms.logistic import sigmoid_form, tanh_form
from tinyflow.quantize.forms.matmul import matmul_form
from tinyflow.quantize.forms.mean import mean_form
from tinyflow.quantize.forms.move import move_form
from tinyflow.quantize.forms.mul import mul_form
from tinyflow.quantize.forms.pad import pad_form
from tinyflow.quantize.forms.pool import pool_form
from tinyflow.quantize.forms.prelu import prelu_form
from tinyflow.quantize.forms.quantize import quantize_form
from tinyflow.quantize.forms.resize_bilinear import resize_bilinear_form
from tinyflow.quantize.forms.softmax import softmax_form
from tinyflow.quantize.site import Site

FORMS: dict[Op, Callable[[Site], IntegerForm]] = {
    Op.ABS: function_form,
    Op.ADD: add_form,
    Op.ARGMAX: argmax_form,
    Op.ATTENTION: attention_form,
    Op.AVERAGE_POOL: pool_form,
    Op.CHANNEL_GATE: channel_gate_form,
    Op.CLAMP: clamp_form,
    Op.CONCAT: move_form,
    Op.CONV_2D: accumulate_form,
    Op.CROSS_COVARIANCE: cross_covariance_form,
    Op.DEPTHWISE_CONV_2D: accumulate_form,
    Op.DETECTION: detection_form,
    Op.ERF: function_form,
    Op.EXP: function_form,
    Op.FULLY_CONNECTED: accumulate_form,
    Op.FUNCTION: function_form,
    Op.GELU: function_form,
    Op.HARD_SIGMOID: hard_sigmoid_form,
    Op.HARD_SWISH: hard_swish_form,
    Op.L2_NORM: l2_norm_form,
    Op.LAYER_NORM: layer_norm_form,
    Op.LEAKY_RELU: leaky_relu_form,
    Op.LOG: function_form,
    Op.MATMUL: matmul_form,
    Op.MAXIMUM: extremum_form,
    Op.MAX_POOL: pool_form,
    Op.MEAN: mean_form,
    Op.MINIMUM: extremum_form,
    Op.MUL: mul_form,
    Op.PAD: pad_form,
    Op.POWER: function_form,
    Op.PRELU: prelu_form,
    Op.QUANTIZE: quantize_form,
    Op.RESHAPE: move_form,
    Op.RESIZE_BILINEAR: resize_bilinear_form,
    Op.RESIZE_NEAREST: move_form,
    Op.SIGMOID: sigmoid_form,
    Op.SLICE: move_form,
    Op.SOFTMAX: softmax_form,
    Op.SUB: add_form,
    Op.TANH: tanh_form,
    Op.TRANSPOSE: move_form,
    Op.TRANSPOSE_CONV_2D: accumulate_form,
}
"""How each operation's integers are made."""

FLOAT_ONLY: dict[Op, str] = {
    Op.BATCH_NORM: "no neighbouring layer can take its factors in",
    Op.FAKE_QUANT: "quantization puts its scale on the tensor",
    Op.DIV: "two computed tensors are divided, for which 8-bit codes are too coarse",
}
"""All other operations: why each has no integer form."""

__all__ = ["FLOAT_ONLY", "FORMS"]
