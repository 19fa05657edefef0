"""MAX_POOL and AVERAGE_POOL."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.tflite.clamps import Fused, fuse
from tinyflow.codegen.tflite.windows import PaddingKind, bordered, padding_kind
from tinyflow.codegen.tflite.writer import NoBuiltinError, Writer
from tinyflow.ir import Node
from tinyflow.ir.ops.spatial import same_padding


def write_max_pool(writer: Writer, node: Node) -> None:
    """A border of the lowest code changes no maximum."""
    attrs: Any = node.attrs
    source = writer.graph.operands(node)[0]
    kind = padding_kind(source.shape[1:3], attrs.kernel, attrs.strides, attrs.padding)
    image = writer.index(source.name)
    if kind is None:
        lowest = int(np.iinfo(source.dtype.numpy).min)
        image, kind = bordered(writer, node, attrs.padding, lowest), PaddingKind.VALID
    clamp = fuse(writer, node, attrs.clamp)
    _emit(writer, "MAX_POOL_2D", image, clamp.output, attrs, kind, attrs.strides, clamp)
    clamp.finish(writer, node)


def write_average_pool(writer: Writer, node: Node) -> None:
    """Averages leave the border out, so that no border can be added before.

    Where the windows are some of those that SAME has at every pixel, these are picked out.
    """
    attrs: Any = node.attrs
    source, result = writer.graph.operands(node)[0], writer.graph.result(node)
    image, size = writer.index(source.name), source.shape[1:3]
    kind = padding_kind(size, attrs.kernel, attrs.strides, attrs.padding)
    if kind is not None:
        clamp = fuse(writer, node, attrs.clamp)
        _emit(writer, "AVERAGE_POOL_2D", image, clamp.output, attrs, kind, attrs.strides, clamp)
        clamp.finish(writer, node)
        return
    offsets = tuple(
        same_padding(size[i], attrs.kernel[i], 1, 1)[0] - attrs.padding[i][0] for i in (0, 1)
    )
    last = [offsets[i] + attrs.strides[i] * (result.shape[1 + i] - 1) for i in (0, 1)]
    if min(offsets) < 0 or last[0] >= size[0] or last[1] >= size[1]:
        raise NoBuiltinError(f"TFLite has no average pooling with the padding {attrs.padding}")
    clamp = fuse(writer, node, attrs.clamp)
    every = writer.inner(node, "every", source.shape, source.dtype, source.quant)
    _emit(writer, "AVERAGE_POOL_2D", image, every, attrs, PaddingKind.SAME, (1, 1), clamp)
    begin = writer.constant(node, "begin", (0, *offsets, 0))
    end = writer.constant(node, "end", (1, last[0] + 1, last[1] + 1, source.shape[3]))
    strides = writer.constant(node, "strides", (1, *attrs.strides, 1))
    inputs = [every, begin, end, strides]
    writer.emit("STRIDED_SLICE", inputs, [clamp.output], "StridedSliceOptions")
    clamp.finish(writer, node)


def _emit(
    writer: Writer, name: str, image: int, target: int, attrs: Any, kind: PaddingKind,
    strides: tuple[int, int], clamp: Fused,
) -> None:  # fmt: skip
    writer.emit(
        name,
        [image],
        [target],
        "Pool2DOptions",
        padding=kind,
        strideH=strides[0],
        strideW=strides[1],
        filterHeight=attrs.kernel[0],
        filterWidth=attrs.kernel[1],
        fusedActivationFunction=clamp.activation,
    )
