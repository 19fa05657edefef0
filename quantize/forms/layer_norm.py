"""LAYER_NORM: sums of codes, one inverse square root a position, one rounding an element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyflow.ir import round_half_away
from tinyflow.ir.integer import LayerNormForm
from tinyflow.quantize.inverse_root import normalize
from tinyflow.quantize.site import NoIntegerFormError, Site

MOST_CHANNELS = 1 << 16
"""Up to here n squared times the variance, which has 16 fractional bits, is below 2**62."""
VARIANCE_BITS = 16
MEAN_BITS = 23
MOST_FRACTION = 24
FEWEST_FRACTION = 10
"""``scale`` is off by half a unit, a code by 255 from the mean, and the mean by 2**-22 codes: that
is 0.06 codes together with so few bits, and less with more."""
_ROOT_BITS = 37
"""2**29 from the root, 2**16 from the halved exponent of m, less 2**8 from the variance's."""


def layer_norm_form(site: Site) -> LayerNormForm:
    attrs: Any = site.node.attrs
    channels = site.input.shape[-1]
    if channels > MOST_CHANNELS:
        raise NoIntegerFormError(f"it has {channels} channels, {MOST_CHANNELS} are possible")
    epsilon = _epsilon(attrs.epsilon, site.input.params.scale, channels)
    params = site.result.params
    gamma, beta = (p / params.scale for p in _affine(site, channels))
    # No value lies further from the mean than sqrt(channels - 1) standard deviations.
    deviations = math.sqrt(max(channels - 1, 1))
    largest = float((deviations * np.abs(gamma) + np.abs(beta)).max()) + 257
    beta += params.zero_point
    if np.ptp(gamma) == 0 and np.ptp(beta) == 0 and gamma[0] > 0:
        fraction = _fraction(29 - _bits(largest))
        start = int(_offsets(beta, fraction)[0])
        constants = _constants(2.0**fraction * gamma[0], epsilon, channels)
        return LayerNormForm(epsilon, *constants, fraction, start)
    # scale * q - mean counts standard deviations; it keeps below 2**29.
    inner = 29 - _bits(deviations)
    room = inner - 2 - _bits(float(np.abs(gamma).max()))
    fraction = _fraction(min(29 - _bits(largest), room))
    factors = round_half_away(gamma * 2.0 ** (fraction + 32 - inner)).astype(np.int32)
    constants = _constants(2.0**inner, epsilon, channels)
    return LayerNormForm(epsilon, *constants, fraction, 0, factors, _offsets(beta, fraction))


def _affine(site: Site, channels: int) -> list[np.ndarray]:
    """gamma and beta in float64 [channels]."""
    given = [t.value.astype(np.float64) for t in site.operands[1:]]
    return [*given, *[np.ones(channels), np.zeros(channels)][len(given) :]]


def _epsilon(epsilon: float, scale: float, channels: int) -> int:
    value = epsilon * (channels / scale) ** 2 * 2.0**VARIANCE_BITS
    if value >= 2.0**61:
        raise NoIntegerFormError(
            f"its epsilon {epsilon:g} is too large for an input of scale {scale:g}"
        )
    return round(value)


def _bits(value: float) -> int:
    """The least b with ``value <= 2**b``, 0 at least."""
    return max(math.ceil(math.log2(value)), 0) if value > 0 else 0


def _fraction(bits: int) -> int:
    if bits < FEWEST_FRACTION:
        raise NoIntegerFormError("its output scale is too small for what it computes")
    return min(bits, MOST_FRACTION)


def _offsets(codes: np.ndarray, fraction: int) -> np.ndarray:
    """Sums of the given codes, half a code added: what a shift then cuts is rounded."""
    return round_half_away(codes * 2.0**fraction).astype(np.int32) + (1 << (fraction - 1))


def _constants(real: float, epsilon: int, channels: int) -> tuple[int, int, int, int]:
    """``factor``, ``shift``, ``reciprocal`` and ``mean_shift`` of the form, for a ``scale`` that
    is ``real`` divided by the standard deviation."""
    fraction, exponent = math.frexp(channels * real * 2.0**-_ROOT_BITS)
    factor = min(round(fraction * 2.0**31), 2**31 - 1)
    # The least variance but 0: one code of all is another by 1. There scale is 2**30 at most.
    least = (max(channels - 1, 1) << VARIANCE_BITS) + epsilon
    assert 1 - exponent + int(normalize(np.array(least))[1]) >= 0
    bits = channels.bit_length() - 1
    reciprocal = round(2.0 ** (30 + bits) / channels)
    return factor, 1 - exponent, reciprocal, 30 + bits - MEAN_BITS
