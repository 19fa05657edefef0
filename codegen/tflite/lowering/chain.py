"""A node as a chain of builtin operators in 16 bits, whose scales follow from sample inputs.

Every step emits an operator and computes, in float64, what the operator would give without
rounding on the samples: the largest magnitude there sets the scale of the int16 result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.codegen.tflite.clamps import Activation
from tinyflow.codegen.tflite.windows import PaddingKind
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import DType, Node, QuantParams, Shape
from tinyflow.ir.ops.spatial import Pair, windows

Samples = Mapping[str, np.ndarray]
"""The integer codes [n, ...] of every activation of a graph, by name."""

_MOST = 32767
_MARGIN = 1.25
"""Values up to this many times the largest one seen are not clipped: a third of a bit."""
_FINEST_SUM = 1 << 13
"""A sum is at most this many times finer than its operands: kernels take no factor of 1 or more
behind 15 bits that they add."""
_WIDE_STEPS = 128
"""Codes of int16 for one of int8: 255 times that fits."""
_MOST_REACH = 255
"""The largest distance of a code from its zero point."""
_SHARES = QuantParams.per_tensor(1 / 32768)
"""SOFTMAX has this one in 16 bits."""
_HALVINGS = 12
"""Scales that are tried, each half of the one before."""
_NONE = int(Activation.NONE)


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the chain. ``real`` [n, ...] is what it stands for on the samples; a constant
    has no n, and broadcasts to those that have."""

    index: int
    shape: Shape
    dtype: DType
    quant: QuantParams
    real: np.ndarray


class Chain:
    """Emits the operators of one node."""

    def __init__(self, writer: Writer, node: Node, samples: Samples) -> None:
        self.writer = writer
        self.node = node
        self.samples = samples

    def operand(self, number: int) -> Value:
        """The node's operand, an activation, as it is."""
        tensor = self.writer.graph.operands(self.node)[number]
        codes = self.samples[tensor.name].astype(np.float64)
        real = (codes - tensor.params.zero_point) * tensor.params.scale
        return Value(
            self.writer.index(tensor.name), tensor.shape, tensor.dtype, tensor.params, real
        )

    def constant(self, real: np.ndarray) -> Value:
        """An int16 constant."""
        array = np.asarray(real, dtype=np.float64)
        quant = QuantParams.per_tensor((float(np.abs(array).max()) or 1.0) / _MOST)
        codes = quant.quantize(array, DType.INT16)
        index = self.writer.constant(self.node, "factor", codes, np.int16, quant)
        return Value(index, array.shape, DType.INT16, quant, array)

    def widened(self, x: Value) -> Value:
        """``x`` in int16, without any loss."""
        if x.dtype is DType.INT16:
            return x
        quant = QuantParams.per_tensor(x.quant.scale / _WIDE_STEPS)
        result = self._result("wide", x.shape, DType.INT16, quant, x.real)
        self._emit("QUANTIZE", [x], result, "QuantizeOptions")
        return result

    def add(self, a: Value, b: Value, ends: bool = False) -> Value:
        return self._sum("ADD", "AddOptions", a, b, a.real + b.real, ends)

    def subtract(self, a: Value, b: Value) -> Value:
        return self._sum("SUB", "SubOptions", a, b, a.real - b.real)

    def multiply(self, a: Value, b: Value, ends: bool = False) -> Value:
        result = self._wide("mul", a.real * b.real, a.quant.scale * b.quant.scale, ends)
        self._emit("MUL", [a, b], result, "MulOptions", fusedActivationFunction=_NONE)
        return result

    def at_least(self, x: Value, floor: float) -> Value:
        """The larger of ``x`` and a constant; ``x`` itself where no code tells the difference."""
        code = x.quant.quantize(np.array([floor]), x.dtype)
        if code[0] <= 0:
            return x
        real = np.maximum(x.real, floor)
        result = self._result("floored", x.shape, x.dtype, x.quant, real)
        bound = self.writer.constant(self.node, "floor", code, x.dtype.numpy.type, x.quant)
        self._emit("MAXIMUM", [x], result, "MaximumMinimumOptions", (bound,))
        return result

    def mean(self, x: Value, axis: int) -> Value:
        """Over one axis, which stays as 1."""
        finest = x.quant.scale / x.shape[axis]
        result = self._wide("mean", x.real.mean(axis=axis, keepdims=True), finest)
        axes = self.writer.constant(self.node, "axes", [axis])
        self._emit("MEAN", [x], result, "ReducerOptions", (axes,), keepDims=True)
        return result

    def inverse_root(self, x: Value, of: Value) -> Value:
        """``1 / sqrt(x)`` as a factor of another value; of what is 0 in 16 bits the largest code.

        A few large factors, where there is next to nothing to multiply, would leave no bits to all
        others: the scale is the one that loses least in the product.
        """
        real = 1 / np.sqrt(np.maximum(x.real, x.quant.scale))
        quant = min(
            (QuantParams.per_tensor(_MARGIN * real.max() / _MOST / 2**k) for k in range(_HALVINGS)),
            key=lambda quant: _loss(quant, real, of.real),
        )
        result = self._result("inverse_root", x.shape, DType.INT16, quant, real)
        self._emit("RSQRT", [x], result)
        return result

    def matmul(self, a: Value, b: Value, transpose_b: bool = False, ends: bool = False) -> Value:
        real = a.real @ (b.real.swapaxes(-1, -2) if transpose_b else b.real)
        result = self._wide("product", real, a.quant.scale * b.quant.scale, ends)
        self._emit("BATCH_MATMUL", [a, b], result, "BatchMatMulOptions", adjY=transpose_b)
        return result

    def softmax(self, x: Value, beta: float = 1.0) -> Value:
        """Over the last axis."""
        powers = np.exp(beta * (x.real - x.real.max(axis=-1, keepdims=True)))
        real = powers / powers.sum(axis=-1, keepdims=True)
        result = self._result("shares", x.shape, DType.INT16, _SHARES, real)
        self._emit("SOFTMAX", [x], result, "SoftmaxOptions", beta=beta)
        return result

    def average_pool(self, x: Value, kernel: Pair, strides: Pair) -> Value:
        """Of [1, h, w, c], without a border."""
        real = windows(x.real, kernel, strides, (1, 1)).mean(axis=(-2, -1))
        result = self._result("averages", (1, *real.shape[1:]), x.dtype, x.quant, real)
        fields: dict[str, Any] = {"strideH": strides[0], "strideW": strides[1]}
        fields |= {"filterHeight": kernel[0], "filterWidth": kernel[1]}
        kind = int(PaddingKind.VALID)
        self._emit("AVERAGE_POOL_2D", [x], result, "Pool2DOptions", padding=kind, **fields)
        return result

    def reshape(self, x: Value, shape: Sequence[int], last: bool = False) -> Value:
        real = x.real.reshape(len(x.real), *shape[1:])
        result = self._result("reshaped", tuple(shape), x.dtype, x.quant, real, last)
        operand = self.writer.constant(self.node, "shape", shape)
        self._emit("RESHAPE", [x], result, "ReshapeOptions", (operand,), newShape=list(shape))
        return result

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        shape = tuple(x.shape[axis] for axis in perm)
        result = self._result("transposed", shape, x.dtype, x.quant, x.real.transpose(perm))
        operand = self.writer.constant(self.node, "perm", perm)
        self._emit("TRANSPOSE", [x], result, "TransposeOptions", (operand,))
        return result

    def narrowed(self, x: Value, last: bool = False) -> Value:
        """``x`` in the codes of the node's result."""
        tensor = self.writer.graph.result(self.node)
        result = self._result("narrow", x.shape, tensor.dtype, tensor.params, x.real, last)
        self._emit("QUANTIZE", [x], result, "QuantizeOptions")
        return result

    def _sum(
        self, name: str, table: str, a: Value, b: Value, real: np.ndarray, ends: bool = False
    ) -> Value:
        finest = max(a.quant.scale, b.quant.scale) / _FINEST_SUM
        result = self._wide(name.lower(), real, finest, ends)
        fields: dict[str, Any] = {"fusedActivationFunction": _NONE, "potScaleInt16": False}
        self._emit(name, [a, b], result, table, **fields)
        return result

    def _wide(self, role: str, real: np.ndarray, finest: float, ends: bool = False) -> Value:
        """An int16 result; a scale below ``finest`` would add nothing. Where the result ``ends``
        the chain, it covers what the node's own can hold, so that nothing is clipped that the node
        would keep."""
        largest = _MARGIN * float(np.abs(real).max(initial=0.0))
        if ends:
            largest = self.writer.graph.result(self.node).params.scale * _MOST_REACH
        quant = QuantParams.per_tensor(max(largest / _MOST, finest))
        return self._result(role, (1, *real.shape[1:]), DType.INT16, quant, real)

    def _result(
        self, role: str, shape: Shape, dtype: DType, quant: QuantParams, real: np.ndarray,
        last: bool = False,
    ) -> Value:  # fmt: skip
        """A new tensor; the ``last`` of a chain is the node's result."""
        if last:
            index = self.writer.result(self.node)
        else:
            index = self.writer.inner(self.node, role, shape, dtype, quant)
        return Value(index, shape, dtype, quant, real)

    def _emit(
        self, name: str, operands: Sequence[Value], result: Value, table: str | None = None,
        further: Sequence[int] = (), **fields: Any,
    ) -> None:  # fmt: skip
        inputs = [*(operand.index for operand in operands), *further]
        self.writer.emit(name, inputs, [result.index], table, **fields)


def _loss(quant: QuantParams, factor: np.ndarray, of: np.ndarray) -> float:
    """The squared error of a product whose factor is rounded to int16 codes."""
    codes = np.minimum(np.rint(factor / quant.scale), _MOST)
    return float(np.square((codes * quant.scale - factor) * of).sum())
