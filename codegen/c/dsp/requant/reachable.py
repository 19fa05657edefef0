"""Interval analysis: which codes a tensor can hold, and which accumulators a layer can reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.ir import Graph, Node, Op, Tensor
from tinyflow.ir.integer import AccumulateForm, PadForm, PoolForm, TableForm
from tinyflow.ir.ops.spatial import NO_PADDING

Bounds = tuple[np.ndarray, np.ndarray]
"""Lowest and highest values, int64, one per channel (the last axis)."""


Known = dict[str, Bounds]
_KNOWN: WeakKeyDictionary[Graph, Known] = WeakKeyDictionary()


def reachable(graph: Graph, node: Node) -> Bounds:
    """Bounds of the accumulator, bias included, of a node with an `AccumulateForm`, per output
    channel: any input gives sums within them. The graph is quantized."""
    return _accumulators(graph, node, _codes_before(graph, node.inputs[0]))


def code_bounds(graph: Graph, tensor: str) -> Bounds:
    """Bounds of a tensor's codes per channel. The graph is quantized."""
    return _codes_before(graph, tensor)[tensor]


def _codes_before(graph: Graph, tensor: str) -> Known:
    """The bounds of a tensor and of all that was computed before it. Kept with the graph."""
    known = _KNOWN.setdefault(graph, {})
    if tensor in known:
        return known
    for name in (*graph.inputs, *graph.constants):
        known.setdefault(name, _bounds_of_source(graph.tensors[name]))
    for node in graph.nodes:
        if node.output not in known:
            lo, hi = _result(graph, node, known)
            least, most = _all_codes(graph.result(node))
            known[node.output] = np.maximum(lo, least), np.minimum(hi, most)
        if node.output == tensor:
            break
    return known


def _bounds_of_source(tensor: Tensor) -> Bounds:
    """Of a constant, or of an input of the graph."""
    if not tensor.is_constant:
        return _all_codes(tensor)
    rows = tensor.value.reshape(-1, _channels(tensor))
    return rows.min(axis=0).astype(np.int64), rows.max(axis=0).astype(np.int64)


def _result(graph: Graph, node: Node, known: Known) -> Bounds:
    transfer = _BY_FORM.get(type(node.integer)) or _BY_OP.get(node.op, _by_clamp)
    return transfer(graph, node, known)


def _channels(tensor: Tensor) -> int:
    return tensor.shape[-1] if tensor.shape else 1


def _all_codes(tensor: Tensor) -> Bounds:
    info = np.iinfo(tensor.dtype.numpy)
    channels = _channels(tensor)
    return np.full(channels, info.min, np.int64), np.full(channels, info.max, np.int64)


def _by_clamp(graph: Graph, node: Node, known: Known) -> Bounds:
    """What the clamp of the integer form, if it has one, leaves of the type's range."""
    least, most = _all_codes(graph.result(node))
    return (
        np.maximum(least, getattr(node.integer, "lo", least)),
        np.minimum(most, getattr(node.integer, "hi", most)),
    )


def _from_accumulators(graph: Graph, node: Node, known: Known) -> Bounds:
    form: Any = node.integer
    assert graph.rounding is not None
    zero = graph.result(node).params.zero_point
    lo, hi = (
        np.clip(
            zero
            + arithmetic.requantize(
                acc,
                form.multiplier.astype(np.int64),
                form.shift.astype(np.int64),
                graph.rounding,
            ),
            form.lo,
            form.hi,
        )
        for acc in _accumulators(graph, node, known)
    )
    return lo, hi


def _same_channels(graph: Graph, node: Node, known: Known) -> Bounds:
    """Results lie between the input's codes of the same channel, then within the clamp."""
    lo, hi = known[node.inputs[0]]
    least, most = _by_clamp(graph, node, known)
    return np.clip(lo, least, most), np.clip(hi, least, most)


def _pool(graph: Graph, node: Node, known: Known) -> Bounds:
    attrs: Any = node.attrs
    sides = zip(attrs.padding, attrs.kernel, strict=True)
    if any(max(side) >= kernel for side, kernel in sides):
        # A window may lie in the padding alone.
        return _by_clamp(graph, node, known)
    return _same_channels(graph, node, known)


def _reshape(graph: Graph, node: Node, known: Known) -> Bounds:
    lo, hi = known[node.inputs[0]]
    channels = _channels(graph.result(node))
    if channels % len(lo) == 0:
        # Elements stay in order, so the old channel is the new one modulo their number.
        return np.tile(lo, channels // len(lo)), np.tile(hi, channels // len(hi))
    return np.full(channels, lo.min()), np.full(channels, hi.max())


def _pad(graph: Graph, node: Node, known: Known) -> Bounds:
    form: Any = node.integer
    lo, hi = known[node.inputs[0]]
    if len(lo) != _channels(graph.result(node)):
        return _all_codes(graph.result(node))
    return np.minimum(lo, form.value), np.maximum(hi, form.value)


def _table(graph: Graph, node: Node, known: Known) -> Bounds:
    form: Any = node.integer
    source = graph.operands(node)[0]
    lowest = int(np.iinfo(source.dtype.numpy).min)
    pieces = [
        form.table[lo - lowest : hi - lowest + 1].astype(np.int64)
        for lo, hi in zip(*known[node.inputs[0]], strict=True)
    ]
    return (
        np.array([piece.min() for piece in pieces], dtype=np.int64),
        np.array([piece.max() for piece in pieces], dtype=np.int64),
    )


_BY_FORM: dict[type, Callable[[Graph, Node, Known], Bounds]] = {
    AccumulateForm: _from_accumulators,
    TableForm: _table,
    PoolForm: _pool,
    PadForm: _pad,
}
_BY_OP: dict[Op, Callable[[Graph, Node, Known], Bounds]] = {
    Op.RESHAPE: _reshape,
    Op.RESIZE_NEAREST: _same_channels,
}


def _accumulators(graph: Graph, node: Node, known: Known) -> Bounds:
    form: Any = node.integer
    assert isinstance(form, AccumulateForm)
    source = graph.operands(node)[0]
    lo, hi = (codes - source.params.zero_point for codes in known[node.inputs[0]])
    if node.op is Op.TRANSPOSE_CONV_2D or getattr(node.attrs, "padding", NO_PADDING) != NO_PADDING:
        # Beyond the border, and where no input pixel falls on a tap, there is the zero point.
        lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
    weight = graph.operands(node)[1].value.astype(np.int64) - form.weight_zero
    # [taps, inputs, outputs], or for inputs per channel of the weight [taps, 1, outputs].
    taps, inputs = _INPUTS_OF[node.op](node, weight, len(lo))
    lowest = np.minimum(taps * lo[inputs], taps * hi[inputs]).sum(axis=(0, 1))
    highest = np.maximum(taps * lo[inputs], taps * hi[inputs]).sum(axis=(0, 1))
    bias = graph.operands(node)[2].value.astype(np.int64) if len(node.inputs) > 2 else 0
    return lowest + bias, highest + bias


def _of_conv(node: Node, weight: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [taps, i, o] of an OHWI weight, and which input channel each [i, o] reads."""
    outputs, per_group = weight.shape[0], weight.shape[3]
    groups = channels // per_group
    first = np.arange(outputs) // (outputs // groups) * per_group
    inputs = np.arange(per_group)[:, None] + first
    return weight.reshape(outputs, -1, per_group).transpose(1, 2, 0), inputs


def _of_depthwise(node: Node, weight: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    outputs = weight.shape[3]
    inputs = np.arange(outputs)[None, :] // (outputs // channels)
    return weight.reshape(-1, 1, outputs), inputs


def _of_dense(node: Node, weight: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    return weight.T[None], np.arange(channels)[:, None]


_INPUTS_OF: dict[Op, Callable[[Node, np.ndarray, int], tuple[np.ndarray, np.ndarray]]] = {
    Op.CONV_2D: _of_conv,
    Op.DEPTHWISE_CONV_2D: _of_depthwise,
    Op.TRANSPOSE_CONV_2D: _of_conv,
    Op.FULLY_CONNECTED: _of_dense,
}
