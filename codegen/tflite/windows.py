"""Paddings of operators that slide a window: by name, or as a border that is added before."""

from __future__ import annotations

from enum import IntEnum

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import Node
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, same_padding


class PaddingKind(IntEnum):
    """TFLite's ``Padding``."""

    SAME = 0
    VALID = 1


def padding_kind(
    size: tuple[int, ...], kernel: tuple[int, ...], strides: Pair, padding: Padding,
    dilations: Pair = (1, 1),
) -> PaddingKind | None:  # fmt: skip
    """SAME or VALID, or None where a padding is neither. ``size`` is the image's [h, w]."""
    if padding == NO_PADDING:
        return PaddingKind.VALID
    same = tuple(same_padding(size[i], kernel[i], strides[i], dilations[i]) for i in (0, 1))
    return PaddingKind.SAME if padding == same else None


def bordered(writer: Writer, node: Node, padding: Padding, code: int) -> int:
    """The index of the node's image with an explicit border of ``code``."""
    source = writer.graph.operands(node)[0]
    (top, bottom), (left, right) = padding
    n, h, w, c = source.shape
    shape = (n, h + top + bottom, w + left + right, c)
    result = writer.inner(node, "padded", shape, source.dtype, source.quant)
    pads = writer.constant(node, "pads", [(0, 0), *padding, (0, 0)])
    value = writer.constant(node, "border", [code], source.dtype.numpy.type, source.quant)
    writer.emit("PADV2", [writer.index(source.name), pads, value], [result], "PadV2Options")
    return result
