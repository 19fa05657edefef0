"""CHANNEL_GATE as a line for each channel, in 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.lowering.chain import Chain
from tinyflow.ir import Node


def lower_channel_gate(chain: Chain, node: Node) -> None:
    """``x * (gate * scale + residual) + gate * shift``."""
    attrs: Any = node.attrs
    scale, shift = (tensor.value for tensor in chain.writer.graph.operands(node)[2:])
    x = chain.widened(chain.operand(0))
    gate = chain.operand(1)
    shape = (*(1 for _ in x.shape[:-1]), x.shape[-1])
    if gate.shape != shape:
        gate = chain.reshape(gate, shape)
    gate = chain.widened(gate)
    slope = chain.multiply(gate, chain.constant(scale))
    if attrs.residual:
        slope = chain.add(slope, chain.constant(np.ones(1)))
    shifted = bool(shift.any())
    y = chain.multiply(x, slope, ends=not shifted)
    if shifted:
        y = chain.add(y, chain.multiply(gate, chain.constant(shift)), ends=True)
    chain.narrowed(y, last=True)
