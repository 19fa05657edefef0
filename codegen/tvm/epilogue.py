"""What stands around sums of products: where they start, and how they become codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tvm.arithmetic import narrow, reduce, requantize, saturate
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.ir import OPS, Graph, Node
from tinyflow.ir.integer import AccumulateForm

_LARGEST_SUM = 2**31 - 1
_LOWEST_CODE = 128
"""The largest magnitude of an int8 code."""


class Epilogue:
    """Per output channel a bias, a multiplier and a shift, as tables of the layer.

    Where ``padded``, every tap of a window counts, those outside the image as the zero point.
    Then the input's zero point goes into the bias, if no sum can leave 32 bits for that, and
    ``zero`` is what is still to be taken from each code. Where taps are left out it is all of it.
    """

    def __init__(self, build: Builder, graph: Graph, node: Node, padded: bool) -> None:
        form: Any = node.integer
        assert isinstance(form, AccumulateForm)
        operands, result = graph.operands(node), graph.result(node)
        axis = OPS[node.op].weight_axis
        assert axis is not None
        weight = operands[1].value.astype(np.int64) - form.weight_zero
        taps = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
        bias = np.zeros(len(taps), dtype=np.int64)
        if len(operands) > 2:
            bias += operands[2].value
        zero = operands[0].params.zero_point
        folded = bias - zero * taps.sum(axis=1)
        largest = np.abs(folded) + _LOWEST_CODE * np.abs(taps).sum(axis=1)
        folds = padded and int(largest.max()) <= _LARGEST_SUM
        self.zero = 0 if folds else zero
        self.weight_zero = form.weight_zero
        self._build = build
        self._form = form
        self._out_zero = result.params.zero_point
        self._bias = build.table("bias", (folded if folds else bias).astype(np.int32))
        self._multiplier = build.table("multiplier", form.multiplier)
        self._shift: Buffer | None = None
        if form.shift.min() < form.shift.max():
            self._shift = build.table("shift", form.shift.astype(np.int8))

    def start(self, channel: Expr) -> Expr:
        """What a sum starts with."""
        return self._bias[channel]

    def centred(self, code: Expr) -> Expr:
        """An int8 code in int32, as sums take it."""
        return narrow(code) - self.zero if self.zero else narrow(code)

    def centred_weight(self, weight: Expr) -> Expr:
        """An int8 weight in int32, as sums take it."""
        return narrow(weight) - self.weight_zero if self.weight_zero else narrow(weight)

    def code(self, total: Expr, channel: Expr) -> Expr:
        """The int8 code of a sum."""
        build, form = self._build, self._form
        shift = int(form.shift.flat[0]) if self._shift is None else narrow(self._shift[channel])
        multiplier = self._multiplier[channel]
        if form.shift.max() > 0:
            code = requantize(total, multiplier, shift)
        else:
            code = reduce(total, multiplier, -shift, build.rounding)
        code = build.let("code", code)
        return saturate(code, self._out_zero, form.lo, form.hi)
