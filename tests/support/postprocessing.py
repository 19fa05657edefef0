"""Small graphs that end in labels or boxes."""

from __future__ import annotations

import numpy as np

from tests.support.graphs import GraphBuilder
from tinyflow.ir import DType, Graph, Op, QuantParams
from tinyflow.ir.ops.detection import DetectionAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.quantize import attach_integers
from tinyflow.quantize.postprocess import add_argmax, add_detection

IMAGE = (96, 128)


def identity(b: GraphBuilder, name: str, shape: tuple[int, ...], quant: QuantParams) -> str:
    """A layer of some kind, since an output must be computed."""
    x = b.input(name, shape, DType.INT8, quant)
    return b.node(Op.CLAMP, [x], name=f"{name}/layer", quant=quant)


def detector(
    positions: int, classes: int, attrs: DetectionAttrs, zero: int = 3, seed: int = 0
) -> Graph:
    b = GraphBuilder()
    logits = identity(b, "logits", (1, positions, classes), QuantParams.per_tensor(0.05, -7))
    deltas = identity(b, "deltas", (1, positions, 4), QuantParams.per_tensor(0.04, zero))
    return add_detection(
        attach_integers(b.build(logits, deltas)), logits, deltas, anchors(positions, seed), attrs
    )


def anchors(positions: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 1, (positions, 2)) * (IMAGE[1], IMAGE[0])
    return np.concatenate([centres, rng.uniform(8, 60, (positions, 2))], axis=1)


def labeller(channels: int, size: ResizeAttrs | None = None) -> Graph:
    """The label of each pixel; with ``size``, of an enlarged image."""
    b = GraphBuilder()
    quant = QuantParams.per_tensor(0.1, 4)
    y = identity(b, "x", (1, 5, 3, channels), quant)
    if size is not None:
        y = b.node(Op.RESIZE_BILINEAR, [y], size, quant=quant)
    return add_argmax(attach_integers(b.build(y)), y)
