"""Registers and instructions of ARMv7E-M on int64 arrays, and the requantization contract.

The contract is that of `tinyflow.quantize.fixed_point.requantize`, which codegen does not import;
a test holds the two together.
"""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Rounding

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1


Integers = np.ndarray | np.integer | int


def requantize(
    x: Integers, multiplier: Integers, shift: Integers, rounding: Rounding
) -> np.ndarray:
    """``x * multiplier * 2**(shift - 31)`` rounded, for ``|x << max(shift, 0)| < 2**31``."""
    x, multiplier, shift = (np.asarray(value, np.int64) for value in (x, multiplier, shift))
    product = x * (multiplier << np.maximum(shift, 0))
    right = np.maximum(-shift, 0)
    if rounding is Rounding.SINGLE:
        return (product + (np.int64(1) << (30 + right))) >> (31 + right)
    high = (product + (1 << 30)) >> 31
    half = (np.int64(1) << right) >> 1
    return (high + half - ((high < 0) & (half > 0))) >> right


def wrap(value: np.ndarray) -> np.ndarray:
    """What a 32-bit register keeps of a value, as a signed number."""
    return ((value + 2**31) & 0xFFFFFFFF) - 2**31


def smmla(a: np.ndarray, b: np.ndarray, c: np.ndarray | int, rounded: bool = False) -> np.ndarray:
    """SMMLA, or SMMLAR if ``rounded``: the high half of ``a * b`` plus ``c``, modulo 2**32."""
    return wrap(c + ((a * b + (rounded << 31)) >> 32))


def saturate(value: np.ndarray, bits: int, signed: bool) -> np.ndarray:
    """SSAT or USAT of a register."""
    lowest = -(1 << (bits - 1)) if signed else 0
    return np.clip(value, lowest, lowest + (1 << bits) - 1)
