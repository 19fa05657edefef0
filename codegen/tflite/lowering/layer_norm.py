"""LAYER_NORM as a chain in 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.lowering.chain import Chain
from tinyflow.ir import Node


def lower_layer_norm(chain: Chain, node: Node) -> None:
    attrs: Any = node.attrs
    x = chain.widened(chain.operand(0))
    axis = len(x.shape) - 1
    centred = chain.subtract(x, chain.mean(x, axis))
    variance = chain.mean(chain.multiply(centred, centred), axis)
    variance = chain.add(variance, chain.constant(np.array([attrs.epsilon])))
    affine = [tensor.value for tensor in chain.writer.graph.operands(node)[1:]]
    y = chain.multiply(centred, chain.inverse_root(variance, centred), ends=not affine)
    if affine:
        y = chain.multiply(y, chain.constant(affine[0]), ends=len(affine) == 1)
    if len(affine) > 1:
        y = chain.add(y, chain.constant(affine[1]), ends=True)
    chain.narrowed(y, last=True)
