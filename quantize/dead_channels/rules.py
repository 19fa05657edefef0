"""What each operation says about channels that go: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyflow.ir import Op
from tinyflow.quantize.dead_channels.gate import rewrite_gate
from tinyflow.quantize.dead_channels.moves import (
    restrict_concat,
    restrict_pad,
    restrict_reshape,
    restrict_slice,
    rewrite_concat,
    rewrite_pad,
    rewrite_reshape,
    rewrite_slice,
)
from tinyflow.quantize.dead_channels.place import NewNode, Place, unchanged
from tinyflow.quantize.dead_channels.same_channels import (
    restrict_axes,
    restrict_mixing,
    restrict_same,
    rewrite_same,
)
from tinyflow.quantize.dead_channels.sums import restrict_depthwise, restrict_sums, rewrite_sums


@dataclass(frozen=True)
class Rule:
    """``restrict`` clears entries of a place's masks until the node can compute the channels of
    its result that stay from the channels of its operands that stay, exactly; it never sets one.
    ``rewrite`` makes the node that does."""

    restrict: Callable[[Place], None]
    rewrite: Callable[[Place], NewNode]


_SAME = Rule(restrict_same, unchanged)
_BINARY = Rule(restrict_same, rewrite_same)
_AXES = Rule(restrict_axes, unchanged)
_MIXING = Rule(restrict_mixing, unchanged)
_SUMS = Rule(restrict_sums, rewrite_sums)

RULES: dict[Op, Rule] = {
    Op.ABS: _SAME,
    Op.ADD: _BINARY,
    Op.ARGMAX: _MIXING,
    Op.ATTENTION: _MIXING,
    Op.AVERAGE_POOL: _SAME,
    Op.CHANNEL_GATE: Rule(restrict_same, rewrite_gate),
    Op.CLAMP: _SAME,
    Op.CONCAT: Rule(restrict_concat, rewrite_concat),
    Op.CONV_2D: _SUMS,
    Op.CROSS_COVARIANCE: _MIXING,
    Op.DEPTHWISE_CONV_2D: Rule(restrict_depthwise, rewrite_sums),
    Op.DETECTION: _MIXING,
    Op.ERF: _SAME,
    Op.EXP: _SAME,
    Op.FULLY_CONNECTED: _SUMS,
    Op.FUNCTION: _SAME,
    Op.GELU: _SAME,
    Op.HARD_SIGMOID: _SAME,
    Op.HARD_SWISH: _SAME,
    Op.L2_NORM: _MIXING,
    Op.LAYER_NORM: _MIXING,
    Op.LEAKY_RELU: _SAME,
    Op.LOG: _SAME,
    Op.MATMUL: _MIXING,
    Op.MAXIMUM: _BINARY,
    Op.MAX_POOL: _SAME,
    Op.MEAN: _AXES,
    Op.MINIMUM: _BINARY,
    Op.MUL: _BINARY,
    Op.PAD: Rule(restrict_pad, rewrite_pad),
    Op.POWER: _SAME,
    Op.PRELU: _BINARY,
    Op.QUANTIZE: _SAME,
    Op.RESHAPE: Rule(restrict_reshape, rewrite_reshape),
    Op.RESIZE_BILINEAR: _SAME,
    Op.RESIZE_NEAREST: _SAME,
    Op.SIGMOID: _SAME,
    Op.SLICE: Rule(restrict_slice, rewrite_slice),
    Op.SOFTMAX: _MIXING,
    Op.SUB: _BINARY,
    Op.TANH: _SAME,
    Op.TRANSPOSE: _AXES,
    Op.TRANSPOSE_CONV_2D: _SUMS,
}
