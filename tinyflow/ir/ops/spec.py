"""What the table of operations says of each one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.ir.node import Attrs, Op
from tinyflow.ir.quant_params import QuantParams
from tinyflow.ir.tensor import Shape


class ShapeError(ValueError):
    """An operation cannot take inputs of these shapes; the text says why."""


@dataclass(frozen=True)
class OpSpec:
    """Facts of one operation.

    ``inputs`` names the operands in order; a trailing ``?`` marks an optional one, a trailing
    ``*`` a repeated one. ``infer(attrs, *shapes)`` returns the output shape or raises
    `ShapeError`. ``evaluate(attrs, *arrays)`` computes in float; activations may carry any
    leading batch size. ``macs(attrs, input_shapes, output_shape)`` counts multiply-accumulates.
    ``same_params``: input and output must share scale and zero point in int8.
    ``output_params``: the fixed int8 quantization of the output.
    ``unary``: a function of one element, a table of 256 entries in int8.
    ``real_constants``: constant operands stay float32 in int8, since they only go into integers.
    ``weight_axis``: the axis of the weight, the second operand, along which output channels lie;
    None for operations that accumulate no products with a weight.
    ``in_place``: a kernel may write its output over its (first) input, element by element.
    """

    op: Op
    attrs: type[Attrs]
    inputs: tuple[str, ...]
    infer: Callable[..., Shape]
    evaluate: Callable[..., np.ndarray]
    macs: Callable[[Any, Sequence[Shape], Shape], int] = lambda attrs, inputs, output: 0
    same_params: bool = False
    output_params: QuantParams | None = None
    unary: bool = False
    real_constants: bool = False
    weight_axis: int | None = None
    in_place: bool = False


def same_shape(attrs: Attrs, x: Shape) -> Shape:
    return x


def need_rank(shape: Shape, rank: int, what: str = "input") -> None:
    if len(shape) != rank:
        raise ShapeError(f"its {what} must have rank {rank}, not the shape {list(shape)}")
