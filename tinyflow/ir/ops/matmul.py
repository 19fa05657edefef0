"""MATMUL: the matrix product of two activations, one for each index of the leading axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.ops.spec import OpSpec, ShapeError
from tinyflow.ir.tensor import Shape


@dataclass(frozen=True)
class MatmulAttrs(Attrs):
    """Whether the last two axes of an operand are exchanged before the product."""

    transpose_a: bool = False
    transpose_b: bool = False


def infer(attrs: MatmulAttrs, a: Shape, b: Shape) -> Shape:
    """a [..., m, k], b [..., k, p], as the product takes them -> [..., m, p]."""
    if len(a) not in (3, 4) or len(b) != len(a):
        raise ShapeError(f"its operands must both have rank 3 or 4, not {list(a)} and {list(b)}")
    m, k = (a[-1], a[-2]) if attrs.transpose_a else (a[-2], a[-1])
    depth, p = (b[-1], b[-2]) if attrs.transpose_b else (b[-2], b[-1])
    if a[:-2] != b[:-2] or k != depth:
        flags = [", transposed" if flag else "" for flag in (attrs.transpose_a, attrs.transpose_b)]
        raise ShapeError(f"{list(a)}{flags[0]} does not fit {list(b)}{flags[1]}")
    return (*a[:-2], m, p)


def matrices(attrs: MatmulAttrs, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The operands as the product takes them."""
    return (
        a.swapaxes(-1, -2) if attrs.transpose_a else a,
        b.swapaxes(-1, -2) if attrs.transpose_b else b,
    )


def evaluate(attrs: MatmulAttrs, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    left, right = matrices(attrs, a, b)
    return left @ right


def depth(attrs: MatmulAttrs, a: Shape) -> int:
    """Products in each sum."""
    return a[-2] if attrs.transpose_a else a[-1]


def macs(attrs: MatmulAttrs, inputs: Sequence[Shape], output: Shape) -> int:
    return int(np.prod(output)) * depth(attrs, inputs[0])


SPEC = OpSpec(Op.MATMUL, MatmulAttrs, ("a", "b"), infer, evaluate, macs)
