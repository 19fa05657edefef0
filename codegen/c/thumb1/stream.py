"""The weight stream of half-word pairs, and the layers that it can serve.

A word holds two weights of one channel, w1 + 65536 * w0, and meets two activations,
a0 + 65536 * a1: firmware/kernels/thumb1/pairs_s8.h says why one product is the sum of both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.c.layer import Layer
from tinyflow.ir import DType, Graph, Node, Rounding

REQUANT_WORDS = 3
"""Per channel: the multiplier, what is added to the upper word of the product, a shift."""

_SHIFTS = (-20, -2)
"""Shifts of a multiplier for which all of the rounding but 2^30 falls in the upper word of the
product, and the zero point stays in its range."""

FIRST_ROUNDING = {Rounding.DOUBLE: 1 << 14, Rounding.SINGLE: 0}
"""The 2^30 of the first of two roundings, in units of 2^16."""


def can_pair(graph: Graph, node: Node) -> bool:
    """Whether half-word pairs compute a convolution or fully connected layer to the last bit."""
    form: Any = node.integer
    x, weight = graph.operands(node)[:2]
    if x.is_constant or x.dtype is not DType.INT8 or form.weight_zero:
        return False
    lowest, highest = _SHIFTS
    shifts = np.asarray(form.shift)
    return bool(weight.value.min() >= -127 and shifts.min() >= lowest and shifts.max() <= highest)


def pack_pixels(layer: Layer, rows: np.ndarray) -> np.ndarray:
    """Per channel its bias, its pairs, its requantization: int32 [out_c, words].

    ``rows`` are weights [out_c, rows of the window, values]; each row begins a new pair.
    """
    return _wrap(
        np.concatenate([_biases(layer, rows)[:, None], _pairs(rows), _requant(layer)], axis=1)
    )


def pack_channels(layer: Layer, rows: np.ndarray) -> np.ndarray:
    """Per four channels their biases, for each pair a word of every channel, their
    requantizations: int32 [groups, words]. Channels up to a multiple of four are zeros."""
    groups = -(-len(rows) // 4)

    def by_four(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, ((0, 4 * groups - len(values)), (0, 0)))
        return padded.reshape(groups, 4, -1)

    pairs = by_four(_pairs(rows)).transpose(0, 2, 1)
    parts = [by_four(_biases(layer, rows)[:, None]), pairs, by_four(_requant(layer))]
    return _wrap(np.concatenate([part.reshape(groups, -1) for part in parts], axis=1))


def _biases(layer: Layer, rows: np.ndarray) -> np.ndarray:
    """With the input's zero point folded in. Sums may wrap on their way, but end in 32 bits."""
    bias = -layer.operands[0].params.zero_point * rows.astype(np.int64).sum(axis=(1, 2))
    return bias + layer.operands[2].value if len(layer.operands) > 2 else bias


def _pairs(rows: np.ndarray) -> np.ndarray:
    even = np.pad(rows.astype(np.int64), ((0, 0), (0, 0), (0, rows.shape[2] % 2)))
    pairs = even.reshape(len(rows), -1, 2)
    return pairs[..., 1] + (pairs[..., 0] << 16)


def _requant(layer: Layer) -> np.ndarray:
    """[out_c, REQUANT_WORDS]; codes are counted from the lowest one of the clamp."""
    form = layer.form
    beyond = -form.shift.astype(np.int64) - 1
    zero = layer.result.params.zero_point - form.lo
    added = (1 << (beyond - 1)) + (zero << beyond)
    return np.stack([form.multiplier.astype(np.int64), added, beyond], axis=1)


def _wrap(values: np.ndarray) -> np.ndarray:
    return (values & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
