"""Shared: the activation range in codes, and room for products in 32 bits."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import Clamp, Multiplier, Tensor
from tinyflow.quantize.fixed_point import quantize_multiplier
from tinyflow.quantize.site import NoIntegerFormError


def code_range(tensor: Tensor) -> tuple[int, int]:
    """The lowest and highest code of a tensor's integer type."""
    info = np.iinfo(tensor.dtype.numpy)
    return int(info.min), int(info.max)


def clamp_codes(clamp: Clamp, tensor: Tensor) -> tuple[int, int]:
    """The codes of an activation's bounds, saturated to the range of the tensor's type."""
    lo, hi = code_range(tensor)
    if np.isfinite(clamp.lo):
        lo = int(tensor.params.quantize(np.array(clamp.lo), tensor.dtype))
    if np.isfinite(clamp.hi):
        hi = int(tensor.params.quantize(np.array(clamp.hi), tensor.dtype))
    return lo, hi


def reach(tensor: Tensor) -> int:
    """The largest ``|code - zero point|`` that the tensor's type allows."""
    lo, hi = code_range(tensor)
    zero = tensor.params.zero_point
    return max(hi - zero, zero - lo)


def factor(real: float, largest: int, what: str) -> Multiplier:
    """The fixed-point form of ``real``, for values up to ``largest`` in magnitude.

    Raises `NoIntegerFormError` if a value, shifted left as the form asks, leaves 32 bits.
    """
    try:
        result = quantize_multiplier(real)
    except ValueError as error:
        raise NoIntegerFormError(f"{what}: {error}") from None
    if largest << max(result.shift, 0) >= 2**31:
        raise NoIntegerFormError(
            f"{what} is {real:g}: values up to {largest} times that do not fit in 32 bits"
        )
    return result
