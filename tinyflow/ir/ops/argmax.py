"""ARGMAX: the index of the largest channel; of equal ones the lowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops import resize_bilinear
from tinyflow.ir.ops.resize import ResizeAttrs, infer_resize
from tinyflow.ir.ops.spec import OpSpec
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class ArgmaxAttrs(Attrs):
    """``resize`` enlarges the image before, as RESIZE_BILINEAR does: the enlarged image, with a
    value for each class, need not be stored."""

    resize: ResizeAttrs | None = None


def infer(attrs: ArgmaxAttrs, x: Shape) -> Shape:
    """x [..., c] -> [..., 1]."""
    shape = x if attrs.resize is None else infer_resize(attrs.resize, x)
    return (*shape[:-1], 1)


def evaluate(attrs: ArgmaxAttrs, x: np.ndarray) -> np.ndarray:
    values = x if attrs.resize is None else resize_bilinear.evaluate(attrs.resize, x)
    return np.argmax(values, axis=-1, keepdims=True).astype(x.dtype)


SPEC = OpSpec(Op.ARGMAX, ArgmaxAttrs, ("x",), infer, evaluate)
