"""Kernel, strides, dilations and padding as ONNX states them."""

from __future__ import annotations

from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.windows import Window
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, same_padding


def window_of(layer: Layer, kernel: tuple[int, ...], size: Pair) -> Window:
    """``kernel`` has one or two axes; ``size`` is the image's height and width."""
    rank = len(kernel)
    ones = (1,) * rank
    strides = _pair(layer.integers("strides") or ones, rank)
    dilations = _pair(layer.integers("dilations") or ones, rank)
    shape = _pair(kernel, rank)
    padding = _padding(layer, rank, size, shape, strides, dilations)
    if any(amount < 0 for side in padding for amount in side):
        raise RefusalError(f"{layer.op} with negative padding is not supported")
    if min(*strides, *dilations, *shape) < 1:
        raise RefusalError(f"{layer.op} has a kernel, stride or dilation below 1")
    return Window(shape, strides, dilations, padding)


def _pair(values: tuple[int, ...], rank: int) -> Pair:
    if len(values) != rank:
        raise RefusalError(f"{list(values)} does not fit a window over {rank} axes")
    return (1, values[0]) if rank == 1 else (values[0], values[1])


def _padding(
    layer: Layer, rank: int, size: Pair, kernel: Pair, strides: Pair, dilations: Pair
) -> Padding:
    mode = layer.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return NO_PADDING
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        both = [same_padding(size[i], kernel[i], strides[i], dilations[i]) for i in (0, 1)]
        if mode == "SAME_LOWER":
            both = [(after, before) for before, after in both]
        return both[0], both[1]
    if mode != "NOTSET":
        raise RefusalError(f"{layer.op} with auto_pad '{mode}' is not supported")
    pads = layer.integers("pads") or (0,) * (2 * rank)
    if len(pads) != 2 * rank:
        raise RefusalError(f"pads {list(pads)} do not fit a window over {rank} axes")
    if rank == 1:
        return (0, 0), (pads[0], pads[1])
    return (pads[0], pads[2]), (pads[1], pads[3])
