"""What each operation becomes when its tensors put their axes in another order.

A layout leaves the batch axis first. Operations that are not in the table have a fixed one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from tinyflow.ir import OPS, Attrs, Graph, Node, Op
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.passes.transposes.axes import Layout

T = TypeVar("T")


def keeps_rank(graph: Graph, node: Node) -> bool:
    """Whether a node's activations and result all have one rank, so that one layout fits all."""
    if node.op is Op.MEAN:
        assert isinstance(node.attrs, MeanAttrs)
        if not node.attrs.keep_dims:
            return False
    operands = graph.operands(node)
    rank = len(graph.result(node).shape)
    if node.op in LAST_AXIS:
        operands = operands[:1]
    for operand in operands:
        if operand.is_constant:
            if operand.quant is not None and operand.quant.axis is not None:
                return False
            if len(operand.shape) > rank:
                return False
        elif len(operand.shape) != rank:
            return False
    return any(not operand.is_constant for operand in operands)


def moved_attrs(node: Node, layout: Layout) -> Attrs:
    rule = _ATTRS.get(node.op)
    return node.attrs if rule is None else rule(node.attrs, layout)


def moved_constant(value: np.ndarray, layout: Layout, rank: int) -> np.ndarray:
    """A constant operand of a node whose activations have ``rank`` axes before."""
    if value.size == 1:
        return value
    value = value.reshape((1,) * (rank - value.ndim) + value.shape)
    value = value.transpose([axis for axis in layout if axis is not None])
    return value[tuple(np.newaxis if axis is None else slice(None) for axis in layout)]


def _entries(values: tuple[T, ...], layout: Layout, new: T) -> tuple[T, ...]:
    return tuple(new if axis is None else values[axis] for axis in layout)


def _concat(attrs: Attrs, layout: Layout) -> Attrs:
    assert isinstance(attrs, ConcatAttrs)
    return replace(attrs, axis=layout.index(attrs.axis))


def _mean(attrs: Attrs, layout: Layout) -> Attrs:
    assert isinstance(attrs, MeanAttrs)
    return replace(attrs, axes=tuple(sorted(layout.index(axis) for axis in attrs.axes)))


def _pad(attrs: Attrs, layout: Layout) -> Attrs:
    assert isinstance(attrs, PadAttrs)
    return replace(attrs, pads=_entries(attrs.pads, layout, (0, 0)))


def _slice(attrs: Attrs, layout: Layout) -> Attrs:
    assert isinstance(attrs, SliceAttrs)
    return replace(
        attrs,
        begin=_entries(attrs.begin, layout, 0),
        end=_entries(attrs.end, layout, 1),
        strides=_entries(attrs.strides, layout, 1),
    )


_ATTRS: dict[Op, Callable[[Attrs, Layout], Attrs]] = {
    Op.CONCAT: _concat,
    Op.MEAN: _mean,
    Op.PAD: _pad,
    Op.SLICE: _slice,
}

UNARY = frozenset(op for op, spec in OPS.items() if spec.unary)
"""Functions of one element."""

ELEMENTWISE = frozenset({Op.ADD, Op.DIV, Op.MAXIMUM, Op.MINIMUM, Op.MUL, Op.PRELU, Op.SUB})
"""Functions of two elements, with broadcasting."""

ANY_LAYOUT = UNARY | ELEMENTWISE | {Op.CONCAT, Op.MEAN, Op.PAD, Op.SLICE}
"""Operations that take their axes in any order."""

LAST_AXIS = frozenset({Op.BATCH_NORM, Op.FULLY_CONNECTED, Op.L2_NORM, Op.LAYER_NORM, Op.SOFTMAX})
"""Operations that take their axes in any order in which the last one stays last."""
