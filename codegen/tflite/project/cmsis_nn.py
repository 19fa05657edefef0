"""Working memory that CMSIS-NN's kernels ask for, beside what the plain kernels need.

Bounds over its paths for cores without extension, with DSP and with MVE, from the sizes that its
functions ``arm_*_get_buffer_size`` return.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from tinyflow.ir import DType, Shape

_COLUMNS = 4
_LANES = 16
_DEPTHWISE_BLOCK = 124


@dataclass(frozen=True)
class BuiltinUse:
    """A builtin operator as it stands in a file: its name in TFLite's enumeration, the shapes of
    its operands and of its result, the type of the latter, and its strides where it has some."""

    name: str
    operands: tuple[Shape, ...]
    result: Shape
    dtype: DType
    strides: tuple[int, int] = (1, 1)


def scratch_bytes(use: BuiltinUse) -> int:
    """The most that the operator's kernel takes."""
    return _BYTES[use.name](use) if use.name in _BYTES else 0


def _convolution(use: BuiltinUse) -> int:
    """Columns of the image, each filled up to whole vectors."""
    _, height, width, channels = use.operands[1]
    return _COLUMNS * -(-height * width * channels // _LANES) * _LANES


def _depthwise(use: BuiltinUse) -> int:
    _, height, width, channels = use.operands[1]
    return height * width * max(2 * channels, _COLUMNS * _DEPTHWISE_BLOCK)


def _transpose_convolution(use: BuiltinUse) -> int:
    """The turned weights with the columns of a convolution, or rows of sums. The first operand is
    the result's shape."""
    weight, image = use.operands[1:3]
    channels, height, width, _ = weight
    columns = (image[2] - 1) * use.strides[1] + max(width, use.strides[1])
    rows = max(height, use.strides[0])
    return max(prod(weight) + _convolution(use), 4 * columns * rows * channels)


def _sums(use: BuiltinUse) -> int:
    """One for each channel of the result."""
    return 4 * use.result[-1]


def _matmul(use: BuiltinUse) -> int:
    """In int8 both operands turned, and a sum for each column. In int16 operands are turned in
    memory that the plain kernels take as well."""
    if use.dtype is DType.INT16:
        return 0
    return sum(map(prod, use.operands)) + _sums(use)


_BYTES: dict[str, Callable[[BuiltinUse], int]] = {
    "AVERAGE_POOL_2D": _sums,
    "BATCH_MATMUL": _matmul,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _sums,
    "TRANSPOSE_CONV": _transpose_convolution,
}
