"""Weights to int8 per output channel, biases to int32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import OPS, Op, QuantParams, Tensor
from tinyflow.ir.dtype import DType
from tinyflow.quantize.ranges import CODE_MIN

CHANNEL_AXIS: Mapping[Op, int] = {
    op: spec.weight_axis for op, spec in OPS.items() if spec.weight_axis is not None
}
"""The operations with a weight operand, and the axis of its output channels."""

WEIGHT_MAX = 127
_CODE_SPAN = 255
_SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
# A channel without weights is only its bias: its code then has this many bits.
_LONE_BIAS_BITS = 24


@dataclass(frozen=True, eq=False)
class QuantizedWeights:
    """int8 codes in the shape of the weight, a float32 scale per channel, int32 bias codes."""

    codes: np.ndarray
    scales: np.ndarray
    bias_codes: np.ndarray
    axis: int
    input_scale: float

    @property
    def bias_scales(self) -> np.ndarray:
        return self.input_scale * self.scales.astype(np.float64)

    def real_weight(self) -> np.ndarray:
        """The weight that the codes stand for, float32."""
        return self.weight_params.dequantize(self.codes)

    def real_bias(self) -> np.ndarray:
        """The bias that the codes stand for, float32."""
        return (self.bias_codes * self.bias_scales).astype(np.float32)

    @property
    def weight_params(self) -> QuantParams:
        return QuantParams.per_channel(self.scales, self.axis)

    def weight_tensor(self, name: str) -> Tensor:
        return Tensor.constant(name, self.codes, self.weight_params)

    def bias_tensor(self, name: str) -> Tensor:
        params = QuantParams.per_channel(np.maximum(self.bias_scales, _SMALLEST_SCALE), 0)
        return Tensor.constant(name, self.bias_codes, params)


def quantize_weights(
    weight: np.ndarray,
    bias: np.ndarray,
    axis: int,
    input_scale: float,
    given: QuantParams | None = None,
) -> QuantizedWeights:
    """Symmetric codes in [-127, 127] with the scale ``max|w| / 127`` per channel, or in
    [-128, 127] with the scales that are ``given``.

    ``bias`` is float [channels] (zeros where the layer has none). A scale is raised where the
    bias would leave int32, or leave too little of it for the sums of products.
    """
    channels = weight.shape[axis]
    rows = np.moveaxis(weight, axis, 0).reshape(channels, -1).astype(np.float64)
    bias = bias.astype(np.float64)
    limit = bias_limit(rows.shape[1])
    if given is None:
        least = -WEIGHT_MAX
        scales = np.abs(rows).max(axis=1) / WEIGHT_MAX
        lone = np.abs(bias) / (input_scale * 2.0**_LONE_BIAS_BITS)
        scales = np.where(scales > 0, scales, np.where(lone > 0, lone, 1.0))
    else:
        least = CODE_MIN
        scales = np.broadcast_to(np.asarray(given.scales), (channels,))
    scales = np.maximum(scales, np.abs(bias) / (input_scale * limit))
    scales = np.maximum(scales, _SMALLEST_SCALE).astype(np.float32)
    codes = np.clip(np.rint(rows / scales[:, None].astype(np.float64)), least, WEIGHT_MAX)
    shape = np.moveaxis(weight, axis, 0).shape
    return QuantizedWeights(
        codes=np.ascontiguousarray(np.moveaxis(codes.reshape(shape), 0, axis)).astype(np.int8),
        scales=scales,
        bias_codes=quantize_bias(bias, input_scale, scales),
        axis=axis,
        input_scale=input_scale,
    )


def quantize_bias(bias: np.ndarray, input_scale: float, scales: np.ndarray) -> np.ndarray:
    """int32 codes in units of ``input_scale * scales``, saturated."""
    codes = np.rint(bias.astype(np.float64) / (input_scale * scales.astype(np.float64)))
    info = np.iinfo(DType.INT32.numpy)
    return np.clip(codes, info.min, info.max).astype(np.int32)


def bias_limit(products: int) -> int:
    """The largest bias code with which a sum of ``products`` products cannot leave int32."""
    room = np.iinfo(np.int32).max - _CODE_SPAN * WEIGHT_MAX * products
    return max(int(room), 1 << 30)
