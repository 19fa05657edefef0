"""Integer constants that quantization attaches to nodes.

`tinyflow.quantize` computes every value here, once; the NumPy reference and each backend only
read them. Formulas: the requantization contract of `tinyflow.quantize.fixed_point`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np


class Rounding(Enum):
    """How a product with a fixed-point multiplier is rounded."""

    DOUBLE = "double"
    """TFLite Micro's and CMSIS-NN's default: a rounded high product, then a rounded shift."""
    SINGLE = "single"
    """One rounded 64-bit shift."""


@dataclass(frozen=True, eq=False)
class IntegerForm:
    """Base of the integer constants of a node. Operations that need none use it as it is."""


@dataclass(frozen=True)
class Multiplier:
    """The real factor ``multiplier * 2**(shift - 31)``; a positive shift goes left."""

    multiplier: int
    shift: int


@dataclass(frozen=True, eq=False)
class AccumulateForm(IntegerForm):
    """CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV_2D, FULLY_CONNECTED.

    ``out = clamp(requantize(bias + sum((x - z_in) * (w - z_w)), c) + z_out, lo, hi)``.
    ``multiplier`` and ``shift`` are int32, one per output channel.
    ``weight_zero`` is 0 but for fully connected weights of old TFLite files.
    """

    multiplier: np.ndarray
    shift: np.ndarray
    lo: int
    hi: int
    weight_zero: int = 0


@dataclass(frozen=True, eq=False)
class AddForm(IntegerForm):
    """ADD and SUB: both inputs are brought to one scale, ``left_shift`` bits up."""

    left_shift: int
    input_1: Multiplier
    input_2: Multiplier
    output: Multiplier
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class MulForm(IntegerForm):
    """MUL: ``clamp(requantize((a - z_a) * (b - z_b)) + z_out, lo, hi)``."""

    output: Multiplier
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class PreluForm(IntegerForm):
    """PRELU: ``saturate(requantize(x - z_x, above) + z_out)`` where x is at least z_x, else
    ``saturate(requantize((x - z_x) * (slope - z_slope), below) + z_out)``."""

    above: Multiplier
    below: Multiplier


@dataclass(frozen=True, eq=False)
class MatmulForm(IntegerForm):
    """MATMUL: ``clamp(requantize(sum((a - z_a) * (b - z_b))) + z_out, lo, hi)``."""

    output: Multiplier
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class MeanForm(IntegerForm):
    """MEAN: ``saturate(requantize(sum(x) - count * z_in) + z_out)``; 1/count is in ``output``."""

    output: Multiplier
    count: int


@dataclass(frozen=True, eq=False)
class PoolForm(IntegerForm):
    """MAX_POOL and AVERAGE_POOL: input and output share their scale, only a clamp follows."""

    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class PadForm(IntegerForm):
    """PAD: the code of the border."""

    value: int


@dataclass(frozen=True, eq=False)
class TableForm(IntegerForm):
    """Any function of one 8-bit code: ``table[code - lowest code]``, 256 entries of the output's
    8-bit type (int8 but for a QUANTIZE to uint8)."""

    table: np.ndarray


@dataclass(frozen=True, eq=False)
class SoftmaxForm(IntegerForm):
    """SOFTMAX over the last axis: ``d = x - max`` is scaled to Q5.26; ``d < diff_min`` adds 0."""

    input: Multiplier
    diff_min: int


@dataclass(frozen=True)
class Decay:
    """How fast a score's share falls with its distance below the largest score of its row.

    A distance d takes ``(min(d, limit) << left) * multiplier >> 32`` off the share's base-2
    logarithm, in units of 2**-24; at the limit it is 32 or more, and the share is 0.
    """

    multiplier: int
    left: int
    limit: int


@dataclass(frozen=True, eq=False)
class AttentionForm(IntegerForm):
    """ATTENTION: shares of a row's scores by ``decay``, ``2**spare`` times as small as they could
    be, so that no sum leaves 32 bits; ``out = requantize(sum(share * (v - z_v)) / sum(share))``
    with ``output`` as the real factor scale v / scale out."""

    decay: Decay
    spare: int
    output: Multiplier


@dataclass(frozen=True, eq=False)
class LayerNormForm(IntegerForm):
    """LAYER_NORM over the n channels of a position, whose codes are q.

    ``w = (n * sum(q**2) - sum(q)**2) * 2**16 + epsilon`` is n squared times the variance. With
    ``w = m * 4**half`` and ``root = 2**29 / sqrt(m / 2**32)`` (`tinyflow.quantize.inverse_root`),

        scale = (root * factor >> 30) >> min(shift + half, 31)
        mean = scale * (sum(q) * reciprocal >> mean_shift) >> 23

    where the last shift of ``scale`` rounds, ties up. Where all codes are equal both are 0. Then

        out = saturate((scale * q - mean + start) >> fraction)

    or, where channels differ, with int32 constants for each,

        out = saturate((((scale * q - mean) * gamma[c] >> 32) + beta[c]) >> fraction)

    ``scale`` and the sums keep within 32 bits.
    """

    epsilon: int
    factor: int
    shift: int
    reciprocal: int
    mean_shift: int
    fraction: int
    start: int
    gamma: np.ndarray | None = None
    beta: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ChannelGateForm(IntegerForm):
    """CHANNEL_GATE: with ``g = gate - z_gate`` a line for each channel, in 24 and 16 fractional
    bits,

        slope = factor[c] * g + base,  line = offset[c] * g + start - (slope * z_x >> 8)
        out = saturate((line + (slope * x >> 8)) >> 16)

    ``factor`` and ``offset`` are int32; no sum leaves 32 bits.
    """

    factor: np.ndarray
    offset: np.ndarray
    base: int
    start: int


@dataclass(frozen=True, eq=False)
class CrossCovarianceForm(IntegerForm):
    """CROSS_COVARIANCE: for each head its temperature times log2(e) as a fixed-point factor,
    ``multiplier`` (int32, with the temperature's sign) and ``shift`` (int8). ``least_q`` and
    ``least_k`` are the squares of the least norms in codes; the rest is as in `AttentionForm`."""

    multiplier: np.ndarray
    shift: np.ndarray
    least_q: int
    least_k: int
    spare: int
    output: Multiplier


@dataclass(frozen=True, eq=False)
class ResizeBilinearForm(IntegerForm):
    """RESIZE_BILINEAR: per output row and column, the lower and upper source index (int32) and
    the upper one's weight as a fraction of 1024 (int32)."""

    y_lo: np.ndarray
    y_hi: np.ndarray
    y_frac: np.ndarray
    x_lo: np.ndarray
    x_hi: np.ndarray
    x_frac: np.ndarray


@dataclass(frozen=True, eq=False)
class ArgmaxForm(IntegerForm):
    """ARGMAX; with ``resize``, of that operation's sums before they are rounded."""

    resize: ResizeBilinearForm | None = None


@dataclass(frozen=True, eq=False)
class DetectionForm(IntegerForm):
    """DETECTION. Pixels are counted in sixteenths inside, results are Q16.16.

    ``powers[d]`` (int32 [256]) is ``exp(-d * logit scale)`` in Q16, for a code d below the
    largest of its position; a score is ``(powers << 15) // sum``, and ``least_score`` the lowest
    that counts. A centre moves by ``(size * (code - z) * centre + 2**15) >> 16``; a size grows to
    ``(size * growth[code + 128] + 2**15) >> 16`` (``growth`` int32 [256]). Two boxes are one
    where ``(intersection << 16) > overlap * union``.
    """

    powers: np.ndarray
    least_score: int
    centre: int
    growth: np.ndarray
    overlap: int
