"""BatchNorm in inference mode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.views import transpose_to
from tinyflow.ir import Op
from tinyflow.ir.ops.batch_norm import BatchNormAttrs


def batch_norm(
    layer: Layer,
    builder: Builder,
    parameters: Sequence[np.ndarray],
    stems: Sequence[str],
    epsilon: float,
) -> Value:
    """Of the layer's first operand, channels in axis 1. ``parameters`` are scale, offset, mean and
    variance, [c] each; ``stems`` name them."""
    if np.any(parameters[3] + epsilon <= 0):
        raise RefusalError(f"{layer.op} has a variance that is not positive")
    x = builder.value(layer)
    rank = len(x.shape)
    if rank < 2:
        raise RefusalError(f"{layer.op} of {list(x.shape)} has no channels")
    channels_last = (0, *range(2, rank), 1)
    back = (0, rank - 1, *range(1, rank - 1))
    last = transpose_to(layer, builder, x, channels_last, "channels_last")
    inputs = [builder.full(last, layer)]
    inputs += [builder.add_constant(s, p) for s, p in zip(stems, parameters, strict=True)]
    y = builder.emit(layer, Op.BATCH_NORM, inputs, BatchNormAttrs(epsilon))
    return transpose_to(layer, builder, Value(y, last.shape), back, "channels_first")
