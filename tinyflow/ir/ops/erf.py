"""ERF: the error function."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, same_shape


def erf(x: np.ndarray) -> np.ndarray:
    """In the precision of ``x``."""
    from scipy import special  # not at the top: the command line must start without it

    values: np.ndarray = special.erf(x)
    return values


def evaluate(attrs: Attrs, x: np.ndarray) -> np.ndarray:
    return erf(x)


SPEC = OpSpec(Op.ERF, Attrs, ("x",), same_shape, evaluate, unary=True, in_place=True)
