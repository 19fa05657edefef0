"""AVERAGE_POOL with a padding that TFLite has no name for, in 16 bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.codegen.tflite.clamps import clamp_codes, codes_of, remaining
from tinyflow.codegen.tflite.lowering.chain import Chain
from tinyflow.codegen.tflite.windows import bordered
from tinyflow.ir import NO_CLAMP, Node
from tinyflow.ir.ops.spatial import pad_image, windows


def lower_average_pool(chain: Chain, node: Node) -> None:
    """Averages with a border of zeros, each divided by the share of its window that is inside."""
    attrs: Any = node.attrs
    writer, result = chain.writer, chain.writer.graph.result(node)
    x = chain.operand(0)
    image = bordered(writer, node, attrs.padding, x.quant.zero_point)
    inside = pad_image(np.ones((1, *x.shape[1:3], 1)), attrs.padding, 0)
    padded = replace(
        x,
        index=image,
        shape=(1, *inside.shape[1:3], x.shape[3]),
        real=pad_image(x.real, attrs.padding, 0),
    )
    share = windows(inside, attrs.kernel, attrs.strides, (1, 1)).mean(axis=(-2, -1))
    averages = chain.average_pool(chain.widened(padded), attrs.kernel, attrs.strides)
    y = chain.multiply(averages, chain.constant(1 / share), ends=True)
    steps = remaining(codes_of(NO_CLAMP, result), codes_of(attrs.clamp, result))
    narrow = chain.narrowed(y, last=not steps)
    clamp_codes(writer, node, narrow.index, steps)
