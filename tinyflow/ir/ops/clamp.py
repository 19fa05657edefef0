"""CLAMP: ReLU, ReLU6 and clip as a layer of its own; passes fuse it where they can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.ir.clamp import NO_CLAMP, Clamp
from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


@dataclass(frozen=True)
class ClampAttrs(Attrs):
    clamp: Clamp = NO_CLAMP


def evaluate(attrs: ClampAttrs, x: np.ndarray) -> np.ndarray:
    return attrs.clamp(x)


SPEC = OpSpec(Op.CLAMP, ClampAttrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
