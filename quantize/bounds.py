"""Bounds beyond which a tensor's values make no difference to the layers that read it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tinyflow.ir import OPS, Graph, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.quantize.ranges import Range

_EVERYTHING = Range(-math.inf, math.inf)


def _of_clamp(attrs: ClampAttrs) -> Range:
    return Range(attrs.clamp.lo, attrs.clamp.hi)


def _of_hard_sigmoid(attrs: HardSigmoidAttrs) -> Range:
    if attrs.alpha <= 0:
        return _EVERYTHING
    return Range(-attrs.beta / attrs.alpha, (1 - attrs.beta) / attrs.alpha)


def _of_hard_swish(attrs: object) -> Range:
    return Range(-3.0, math.inf)


_READERS: Mapping[Op, Callable[[Any], Range]] = {
    Op.CLAMP: _of_clamp,
    Op.HARD_SIGMOID: _of_hard_sigmoid,
    Op.HARD_SWISH: _of_hard_swish,
}
"""Outside of this range of its input, the operation's result is the same as at its nearer end."""


def useful_range(graph: Graph, members: tuple[str, ...]) -> Range:
    """The range that all layers which read these tensors (of one scale group) can tell apart."""
    found: Range | None = None
    for name in members:
        if name in graph.outputs:
            return _EVERYTHING
        for node in graph.consumers(name):
            if OPS[node.op].same_params:
                continue
            wanted = _READERS[node.op](node.attrs) if node.op in _READERS else _EVERYTHING
            found = wanted if found is None else found.union(wanted)
    return found if found is not None else _EVERYTHING
