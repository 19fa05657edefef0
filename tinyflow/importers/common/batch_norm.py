"""BatchNorm in inference mode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.batch_norm import BatchNormAttrs


def batch_norm(
    layer: Layer,
    builder: Builder,
    parameters: Sequence[np.ndarray],
    stems: Sequence[str],
    epsilon: float,
) -> str:
    """Of the layer's first operand, channels in axis 1. ``parameters`` are scale, offset, mean and
    variance, [c] each; ``stems`` name them."""
    if np.any(parameters[3] + epsilon <= 0):
        raise RefusalError(f"{layer.op} has a variance that is not positive")
    x = builder.activation(layer)
    rank = len(builder.shape(x))
    if rank < 2:
        raise RefusalError(f"{layer.op} of {list(builder.shape(x))} has no channels")
    channels_last = (0, *range(2, rank), 1)
    back = (0, rank - 1, *range(1, rank - 1))
    inputs = [builder.transpose(layer, x, channels_last, "channels_last")]
    inputs += [builder.add_constant(s, p) for s, p in zip(stems, parameters, strict=True)]
    y = builder.emit(layer, Op.BATCH_NORM, inputs, BatchNormAttrs(epsilon))
    return builder.transpose(layer, y, back, "channels_first")
