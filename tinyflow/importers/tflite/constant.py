"""Computes what is known at import: shapes of tensors, and whatever follows from constants.

Converters leave chains such as SHAPE, STRIDED_SLICE, PACK before a RESHAPE. TinyFlow's shapes
are fixed, so that these chains are constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyflow.importers.tflite.flatbuffer import RawOperator
from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.importers.tflite.slicing import strided_box
from tinyflow.ir import DType, QuantParams, Tensor

Fold = Callable[[RawOperator, Sequence[np.ndarray]], np.ndarray]


def fold(
    op: RawOperator, tensors: Sequence[Tensor], quant: QuantParams | None
) -> np.ndarray | None:
    """The value of the operator's result, None where it is only known at run time.

    ``quant`` is the result's quantization. Quantized constants are only moved, and only where
    their scales stay; nothing is computed with them.
    """
    if op.name == "SHAPE" and len(tensors) == 1:
        return np.array(tensors[0].shape, dtype=np.int32)
    if op.name == "DEQUANTIZE" and len(tensors) == 1 and tensors[0].is_constant:
        return _dequantize(tensors[0])
    compute = None
    if all(t.quant in (None, quant) for t in tensors):
        compute = _MOVES.get(op.name)
    if compute is None and not any(t.quant for t in tensors):
        compute = _ARITHMETIC.get(op.name)
    if compute is None or len(op.outputs) != 1 or not all(t.is_constant for t in tensors):
        return None
    try:
        return np.asarray(compute(op, [t.value for t in tensors]))
    except (ValueError, IndexError, TypeError, np.exceptions.AxisError) as error:
        raise LayerError(f"its constant operands do not fit: {error}") from None


def _dequantize(tensor: Tensor) -> np.ndarray:
    if tensor.dtype is DType.FLOAT32:
        return tensor.value
    if tensor.quant is None:
        raise LayerError("it dequantizes integers that have no scale")
    return tensor.quant.dequantize(tensor.value)


def _pack(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack(values, axis=_option(op, "axis"))


def _concatenation(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(values, axis=_option(op, "axis"))


def _reshape(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    shape = values[1].ravel() if len(values) > 1 else op.options.get("newShape")
    if shape is None:
        raise ValueError("a reshape without a shape")
    return values[0].reshape([int(d) for d in shape])


def _squeeze(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    dims = op.options.get("squeezeDims")
    axes = tuple(int(d) for d in dims) if dims is not None and len(dims) else None
    return np.squeeze(values[0], axis=axes)


def _expand_dims(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    return np.expand_dims(values[0], int(values[1].ravel()[0]))


def _transpose(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    return values[0].transpose([int(p) for p in values[1].ravel()])


def _slice(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    x, begins, sizes = values
    box = []
    for size, begin, count in zip(x.shape, begins.ravel(), sizes.ravel(), strict=True):
        end = size if count == -1 else int(begin) + int(count)
        box.append(slice(int(begin), end))
    return x[tuple(box)]


def _strided_slice(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    x, begins, ends, strides = values
    box = strided_box(op, x.shape, _list(begins), _list(ends), _list(strides))
    cut = x[tuple(slice(b, e, s) for b, e, s in zip(box.begin, box.end, box.strides, strict=True))]
    return cut.reshape([d for i, d in enumerate(cut.shape) if i not in box.dropped])


def _gather(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    return np.take(values[0], values[1], axis=_option(op, "axis"))


def _cast(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    types: dict[int, type] = {0: np.float32, 2: np.int32, 4: np.int64}
    return values[0].astype(types[_option(op, "outDataType")])


def _reduce_prod(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
    axes = tuple(_list(values[1]))
    return np.prod(
        values[0], axis=axes, keepdims=bool(_option(op, "keepDims")), dtype=values[0].dtype
    )


def _binary(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Fold:
    def compute(op: RawOperator, values: Sequence[np.ndarray]) -> np.ndarray:
        if op.options.get("fusedActivationFunction"):
            raise ValueError("a fused activation")
        a, b = values
        if a.dtype.kind == "f":
            return function(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
        return function(a, b)

    return compute


def _list(values: np.ndarray) -> list[int]:
    return [int(v) for v in values.ravel()]


def _option(op: RawOperator, key: str) -> int:
    value: Any = op.options.get(key)
    if not isinstance(value, int):
        raise ValueError(f"the option {key} is missing")
    return value


_MOVES: dict[str, Fold] = {
    "CONCATENATION": _concatenation,
    "EXPAND_DIMS": _expand_dims,
    "GATHER": _gather,
    "PACK": _pack,
    "RESHAPE": _reshape,
    "SLICE": _slice,
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
}

_ARITHMETIC: dict[str, Fold] = {
    "ADD": _binary(np.add),
    "CAST": _cast,
    "MUL": _binary(np.multiply),
    "REDUCE_PROD": _reduce_prod,
    "SUB": _binary(np.subtract),
}

FOLDED = frozenset({"SHAPE", "DEQUANTIZE", *_MOVES, *_ARITHMETIC})
"""Operators that can be computed at import."""
