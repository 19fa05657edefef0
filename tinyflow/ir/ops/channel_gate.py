"""CHANNEL_GATE: a map scaled per channel by a gate that the network computes (squeeze-excite)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class ChannelGateAttrs(Attrs):
    """``(scale * x + shift) * gate``, and ``x`` on top with ``residual``."""

    residual: bool = False


def infer(attrs: ChannelGateAttrs, x: Shape, gate: Shape, scale: Shape, shift: Shape) -> Shape:
    """x [1, ..., c]; gate [1, c] or [1, 1, 1, c]; constants scale and shift [c]."""
    channels = x[-1]
    if math.prod(gate) != channels or gate[-1] != channels:
        raise ShapeError(f"its gate {list(gate)} does not fit {list(x)}")
    if scale != (channels,) or shift != (channels,):
        raise ShapeError(f"its constants {list(scale)}, {list(shift)} do not fit {list(x)}")
    return x


def evaluate(
    attrs: ChannelGateAttrs,
    x: np.ndarray,
    gate: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
) -> np.ndarray:
    axes = (1,) * (x.ndim - 2)
    factor = gate.reshape(gate.shape[0], *axes, x.shape[-1])
    y = (x * scale.astype(x.dtype) + shift.astype(x.dtype)) * factor
    return x + y if attrs.residual else y


SPEC = OpSpec(
    Op.CHANNEL_GATE,
    ChannelGateAttrs,
    ("x", "gate", "scale", "shift"),
    infer,
    evaluate,
    real_constants=True,
    in_place=True,
)
