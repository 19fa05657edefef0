"""Finds the conversions between the outside and an int8 model.

A converted int8 model may take and give float (or uint8) through QUANTIZE and DEQUANTIZE. TinyFlow
hands over integers, whose scales its bundle states, so these operators are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.importers.tflite.flatbuffer import RawModel, RawOperator, RawTensor
from tinyflow.ir import DType

_UINT8_TO_INT8 = -128


@dataclass(frozen=True)
class Boundary:
    """Operators to leave out, and the tensors that are the graph's inputs and outputs then."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    stripped: frozenset[RawOperator]


def find_boundary(model: RawModel) -> Boundary:
    """Boundary conversions are those that alone read an input or make an output of the model."""
    stripped = set()
    inputs = list(model.inputs)
    for position, index in enumerate(inputs):
        readers = [op for op in model.operators if index in op.inputs]
        if len(readers) == 1 and index not in model.outputs:
            inner = readers[0].outputs[0]
            if _converts(model, readers[0], outside=index, inside=inner):
                stripped.add(readers[0])
                inputs[position] = inner
    outputs = list(model.outputs)
    makers = {op.outputs[0]: op for op in model.operators}
    for position, index in enumerate(outputs):
        op = makers.get(index)
        read = any(index in other.inputs for other in model.operators)
        if op is not None and op.inputs and op not in stripped and not read:
            inner = op.inputs[0]
            if inner >= 0 and _converts(model, op, outside=index, inside=inner):
                stripped.add(op)
                outputs[position] = inner
    return Boundary(tuple(inputs), tuple(outputs), frozenset(stripped))


def _converts(model: RawModel, op: RawOperator, outside: int, inside: int) -> bool:
    """Whether the operator does no more than change how the same numbers are written."""
    if op.name not in ("QUANTIZE", "DEQUANTIZE"):
        return False
    outer, inner = model.tensors[outside], model.tensors[inside]
    if inner.dtype is not DType.INT8 or inner.is_constant:
        return False
    return outer.dtype is DType.FLOAT32 or _same_numbers(outer, inner)


def _same_numbers(outer: RawTensor, inner: RawTensor) -> bool:
    """Whether uint8 codes become int8 codes by subtracting 128."""
    return (
        outer.dtype is DType.UINT8
        and outer.quant is not None
        and inner.quant is not None
        and outer.quant.scales == inner.quant.scales
        and inner.quant.zero_points[0] - outer.quant.zero_points[0] == _UINT8_TO_INT8
    )
