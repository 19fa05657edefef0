"""Softmax in base 2, from int32 scores to the 16-bit shares by which attentions mix values.

With d the distance of a score below the largest one of its row, its share is in proportion to
``2**-t``, where t is d times a real factor (`decay_of`). In fixed point:

- t has 24 fractional bits (`Decay`), of which 6 choose an entry of `POWERS` and 15 more weigh its
  slope; the power has 31 bits and a relative error below 2**-14.5.
- Shares are the powers without their lowest 16 bits. What is cut off one is added to the next, so
  that the sum of any first shares is within half a unit of that of their powers.
- A row of more than 256 entries has ``spare`` bits less in each share: the sum of all shares
  stays below 2**23, and that of shares times ``value - zero point`` below 2**31.

The mean of values weighed by shares is ``sum(share * value) * reciprocal(sum(share))``.
"""

from __future__ import annotations

import math

import numpy as np

from tinyflow.ir.integer import Decay, Multiplier
from tinyflow.ir.powers import ENTRIES, POWERS, REST_BITS
from tinyflow.quantize.fixed_point import quantize_multiplier

FRACTION_BITS = 24
MOST_ENTRIES = 4096
"""Of a row; with more, the shares of a flat one would have less than 11 bits."""
_NO_DECAY_BEYOND = 32.0


def decay_of(real: float) -> Decay:
    """For ``real >= 0`` bits of logarithm per unit of distance."""
    if real >= _NO_DECAY_BEYOND:
        return Decay(1 << 30, 31, 1)
    fraction, exponent = math.frexp(real * 2.0 ** (FRACTION_BITS + 32))
    left = max(exponent - 31, 0)
    multiplier = math.floor(math.ldexp(fraction, exponent - left) + 0.5)
    if multiplier == 1 << 31:
        multiplier, left = 1 << 30, left + 1
    return Decay(multiplier, left, 1 << (31 - left))


def spare_bits(entries: int) -> int:
    """By how many bits the shares of a row are shortened."""
    return max((entries - 1).bit_length() - 8, 0)


def powers_of_two(t: np.ndarray) -> np.ndarray:
    """``TOP * 2**(-t / 2**24)`` for t >= 0, rounded down."""
    word = POWERS[(t >> (FRACTION_BITS - 6)) & (ENTRIES - 1)]
    slope = ((word + (1 << 15)) & 0xFFFF) - (1 << 15)
    rest = (t >> (FRACTION_BITS - 6 - REST_BITS)) & ((1 << REST_BITS) - 1)
    return (word + slope * rest) >> np.minimum(t >> FRACTION_BITS, 31)


def shares_of(
    scores: np.ndarray,
    multiplier: np.ndarray | int,
    left: np.ndarray | int,
    limit: np.ndarray | int,
    spare: int,
) -> np.ndarray:
    """int64 shares of scores [..., entries] below 2**31 in magnitude; the arguments are those of
    a `Decay`, or arrays of them that broadcast against the scores."""
    distance = scores.max(axis=-1, keepdims=True) - scores
    logarithm = (np.minimum(distance, limit) << left) * multiplier >> 32
    powers = powers_of_two(logarithm + (spare << FRACTION_BITS))
    sums = np.cumsum(powers, axis=-1) + (1 << 15) >> 16
    return np.diff(sums, axis=-1, prepend=0)


def row_factor(total: np.ndarray, output: Multiplier) -> tuple[np.ndarray, np.ndarray]:
    """(factor, shift): ``factor / 2**shift`` is ``output / total`` for sums of shares."""
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    up = 23 - bits
    reciprocal = (1 << 47) // (total << up)
    return reciprocal * output.multiplier >> 25, 53 - up - output.shift


def mean_codes(sums: np.ndarray, factor: np.ndarray, shift: np.ndarray, zero: int) -> np.ndarray:
    """int8 codes of ``sums * factor / 2**shift``, rounded once with ties upward."""
    rounded = (sums * factor + (np.int64(1) << (shift - 1))) >> shift
    return np.clip(rounded + zero, -128, 127).astype(np.int8)


def mean_multiplier(real: float) -> Multiplier:
    """The fixed-point form of scale of values / scale of result. Of one below 2**-10 nothing is
    left: values less their zero point are below 2**8."""
    found = quantize_multiplier(real)
    return found if found.shift >= -8 else Multiplier(0, 0)
