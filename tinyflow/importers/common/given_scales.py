"""The scales that a source model brings along, as TinyFlow writes them.

Sources write codes as int8 or uint8; codes are int8 here, so that uint8 ones and their zero point
are shifted by 128.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.importers.common.layer import RefusalError
from tinyflow.ir import QuantParams, Tensor
from tinyflow.ir.ops.fake_quant import CODE_MAX, CODE_MIN, FakeQuantAttrs

_SHIFTS = {"int8": 0, "uint8": -128}
_NEAR = 1e-2
"""How far from a whole code a weight may lie: a rounding of float32, not another scale."""


@dataclass(frozen=True)
class CodeType:
    """Codes of a source: the name of their type, and the least and greatest that occur."""

    name: str
    lo: int
    hi: int

    @classmethod
    def whole(cls, dtype: np.dtype) -> CodeType:
        """Of an integer type that is used to its ends."""
        if dtype.kind not in "iu":
            return cls(dtype.name, 0, 0)
        info = np.iinfo(dtype)
        return cls(dtype.name, int(info.min), int(info.max))


def activation_scale(scale: np.ndarray, zero_point: np.ndarray, codes: CodeType) -> FakeQuantAttrs:
    """The one scale of an activation. Refuses scales per channel and types other than 8 bits."""
    if codes.name not in _SHIFTS:
        raise RefusalError(
            f"it quantizes an activation to {codes.name}; TinyFlow's activations are int8",
            "quantize activations to int8 or uint8",
        )
    if np.size(scale) != 1 or np.size(zero_point) != 1:
        raise RefusalError(
            f"it quantizes an activation with {np.size(scale)} scales",
            "quantize activations per tensor; only weights may have a scale per channel",
        )
    shift = _SHIFTS[codes.name]
    lo, hi = max(codes.lo + shift, CODE_MIN), min(codes.hi + shift, CODE_MAX)
    try:
        real = float(np.float32(np.reshape(scale, ())))
        return FakeQuantAttrs(real, int(np.reshape(zero_point, ())) + shift, lo, hi)
    except ValueError as error:
        raise RefusalError(f"its quantization is not sound: {error}") from None


def constant_scale(
    scale: np.ndarray, zero_point: np.ndarray, axis: int, codes: np.ndarray
) -> QuantParams | None:
    """The scales of a constant in 8 bits or fewer; None for a wider one, such as a bias."""
    shift = _SHIFTS.get(codes.dtype.name, 0)
    least, greatest = int(codes.min(initial=0)) + shift, int(codes.max(initial=0)) + shift
    if least < CODE_MIN or greatest > CODE_MAX:
        return None
    scales = np.asarray(scale, np.float32).reshape(-1)
    zeros = np.broadcast_to(np.asarray(zero_point, np.int64).reshape(-1), scales.shape) + shift
    try:
        return QuantParams(
            tuple(float(s) for s in scales),
            tuple(int(z) for z in zeros),
            None if len(scales) == 1 else axis % codes.ndim,
        )
    except ValueError as error:
        raise RefusalError(f"its quantization is not sound: {error}") from None


def dequantized(
    scale: np.ndarray, zero_point: np.ndarray, axis: int, codes: np.ndarray
) -> np.ndarray:
    """float32 reals of constant codes with one scale, or one for each index along ``axis``."""
    if codes.dtype.kind not in "iu":
        raise RefusalError(f"it dequantizes {codes.dtype.name}, which is not supported")
    shape = [1] * codes.ndim
    if np.size(scale) > 1:
        if np.ndim(scale) > 1 or np.size(scale) != codes.shape[axis]:
            raise RefusalError(
                "it has scales for blocks of a constant, which is not supported",
                "quantize weights per channel or per tensor",
            )
        shape[axis] = np.size(scale)
    scales = np.asarray(scale, np.float64).reshape(shape if np.size(scale) > 1 else ())
    zeros = np.asarray(zero_point, np.int64)
    zeros = zeros.reshape(shape if zeros.size > 1 else ())
    return np.asarray((codes.astype(np.int64) - zeros) * scales, np.float32)


def with_scale(weight: Tensor, given: QuantParams, axis: int) -> Tensor:
    """A float weight that keeps the scales of its codes, along ``axis`` now.

    Refuses scales that do not run along the output channels, zero points other than 0, and a
    weight that is no multiple of its scales any more.
    """
    shifted = [zero for zero in given.zero_points if zero]
    if shifted:
        raise RefusalError(
            f"its weight is quantized with the zero point {shifted[0]}",
            "quantize weights symmetrically: as int8 with zero point 0",
        )
    count = len(given.scales)
    if count not in (1, weight.shape[axis]):
        raise RefusalError(
            f"its weight {list(weight.shape)} has {count} scales, which are not those of its "
            "output channels",
            "quantize weights per output channel or per tensor",
        )
    shape = [count if i == axis else 1 for i in range(len(weight.shape))]
    codes = weight.value / np.asarray(given.scales).reshape(shape)
    if np.abs(codes - np.rint(codes)).max(initial=0.0) > _NEAR:
        raise RefusalError(
            "its weight is quantized and then changed by another constant",
            "apply the constant before the weight is quantized",
        )
    params = QuantParams(given.scales, given.zero_points, None if count == 1 else axis)
    return Tensor.constant(weight.name, weight.value, params)
