"""MAX_POOL: the largest value in each window."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.pool import PoolAttrs, infer_pool
from tinyflow.ir.ops.spatial import pad_image, windows
from tinyflow.ir.ops.spec import OpSpec


def evaluate(attrs: PoolAttrs, x: np.ndarray) -> np.ndarray:
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    view = windows(pad_image(x, attrs.padding, lowest), attrs.kernel, attrs.strides, (1, 1))
    return attrs.clamp(view.max(axis=(4, 5)))


SPEC = OpSpec(Op.MAX_POOL, PoolAttrs, ("x",), infer_pool, evaluate, same_params=True)
