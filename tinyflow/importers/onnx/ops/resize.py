"""Resize and Upsample."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.images import to_nhwc, to_source
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op
from tinyflow.ir.ops.resize import ResizeAttrs, source_positions
from tinyflow.ir.ops.resize_nearest import source_indices

LARGEST_SIDE = 2**15

_MODES = {"nearest": Op.RESIZE_NEAREST, "linear": Op.RESIZE_BILINEAR}


@dataclass(frozen=True)
class Span:
    """One image axis: its size before and after, and the factor that the layer states."""

    before: int
    after: int
    scale: float


def convert_resize(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """Nearest and linear, of the image axes, to constant sizes, in every coordinate mode that
    meets the same pixels as align_corners, half_pixel or asymmetric; no antialias."""
    mode = layer.text("mode", "nearest")
    if mode not in _MODES:
        raise RefusalError(f"Resize in mode '{mode}' is not supported", "use nearest or linear")
    x = builder.activation(layer)
    shape = builder.shape(x)
    sizes, scales = _targets(layer, builder, shape)
    resized = {
        axis for axis in range(len(shape)) if scales[axis] != 1 or sizes[axis] != shape[axis]
    }
    if not resized:
        return (x,)
    if any(not 1 <= size <= LARGEST_SIDE for size in sizes):
        raise RefusalError(f"Resize to {sizes} is empty or too large for any target")
    if layer.integer("antialias", 0) and any(sizes[axis] < shape[axis] for axis in resized):
        raise RefusalError("Resize with antialias is not supported", "export it without")
    rank = len(shape) - 2
    channels_first = rank in (1, 2) and resized <= set(range(2, rank + 2))
    if not channels_first and not (rank == 2 and resized <= {1, 2}):
        raise RefusalError(f"Resize of the axes {sorted(resized)} of {list(shape)}")
    first = 2 if channels_first else 1
    spans = [Span(shape[a], sizes[a], scales[a]) for a in range(first, first + rank)]
    rows, columns = spans if rank == 2 else (Span(1, 1, 1.0), spans[0])
    attrs = _matching(layer, mode, rows, columns)
    image = to_nhwc(layer, builder, x) if channels_first else x
    y = builder.emit(layer, _MODES[mode], (image,), attrs)
    return (to_source(layer, builder, y, rank) if channels_first else y,)


def convert_upsample(layer: Layer, builder: Builder) -> tuple[str, ...]:
    """As Resize with asymmetric coordinates, which it was called in operator sets 7 to 9."""
    return convert_resize(layer, builder)


def _targets(
    layer: Layer, builder: Builder, shape: tuple[int, ...]
) -> tuple[list[int], list[float]]:
    """The size and the scale of every axis."""
    axes = layer.integers("axes") or tuple(range(len(shape)))
    sizes, scales = list(shape), [1.0] * len(shape)
    if layer.has(3) and builder.constant(layer, 3, "sizes").size:
        if layer.text("keep_aspect_ratio_policy", "stretch") != "stretch":
            raise RefusalError("Resize that keeps the aspect ratio is not supported")
        for axis, size in zip(axes, builder.integers(layer, 3, "sizes"), strict=True):
            sizes[axis] = size
            scales[axis] = size / shape[axis]
        return sizes, scales
    given = _scales(layer, builder)
    if not np.isfinite(given).all():
        raise RefusalError("Resize with scales that are not finite")
    for axis, scale in zip(axes, given, strict=True):
        scales[axis] = float(scale)
        sizes[axis] = math.floor(shape[axis] * float(scale))
        # Scales are stored in float32: 5 * (7 / 5) may come out just below 7.
        if abs(round(shape[axis] * float(scale)) - shape[axis] * float(scale)) < 1e-4:
            sizes[axis] = round(shape[axis] * float(scale))
            scales[axis] = sizes[axis] / shape[axis]
    return sizes, scales


def _scales(layer: Layer, builder: Builder) -> np.ndarray:
    """Resize has a region of interest in front of its scales, except in its first operator set;
    Upsample had its scales as an attribute at first."""
    stated = layer.attributes.get("scales")
    if stated is not None:
        return np.asarray(stated, dtype=np.float32)
    return builder.weight(layer, 1 if _is_early(layer) else 2, "scales").reshape(-1)


def _is_early(layer: Layer) -> bool:
    """Whether the layer has neither a region of interest nor a choice of coordinates."""
    return layer.opset <= 10


def _matching(layer: Layer, mode: str, rows: Span, columns: Span) -> ResizeAttrs:
    """The graph's form that takes every output pixel from where ONNX takes it."""
    form = ("asymmetric", "floor") if _is_early(layer) else ("half_pixel", "round_prefer_floor")
    coordinates = layer.text("coordinate_transformation_mode", form[0])
    rounding = layer.text("nearest_mode", form[1])
    if rounding not in _ROUNDINGS:
        raise RefusalError(f"Resize with the rounding '{rounding}' is not supported")
    for align, half in product((False, True), repeat=2):
        if align and half:
            continue
        attrs = ResizeAttrs((rows.after, columns.after), align, half)
        if all(_agrees(attrs, mode, coordinates, rounding, axis) for axis in (rows, columns)):
            return attrs
    how = coordinates if mode == "linear" else f"{coordinates} and {rounding}"
    raise RefusalError(
        f"Resize in mode '{mode}' with {how} from {rows.before}x{columns.before} to "
        f"{rows.after}x{columns.after} is not supported",
        "use whole factors, half_pixel for linear or asymmetric and floor for nearest",
    )


def _agrees(attrs: ResizeAttrs, mode: str, coordinates: str, rounding: str, axis: Span) -> bool:
    before, after, scale = axis.before, axis.after, axis.scale
    wanted = _positions(coordinates, before, after, scale)
    if mode == "linear":
        ours = np.clip(source_positions(attrs, before, after), 0, before - 1)
        return bool(np.allclose(ours, np.clip(wanted, 0, before - 1), rtol=0, atol=1e-5))
    indices = np.clip(_ROUNDINGS[rounding](wanted), 0, before - 1)
    return bool(np.array_equal(source_indices(attrs, before, after), indices))


def _positions(coordinates: str, before: int, after: int, scale: float) -> np.ndarray:
    """Where output pixels lie in the source, by the ONNX definition."""
    out = np.arange(after, dtype=np.float64)
    if coordinates == "align_corners":
        # The length before it is rounded down to pixels.
        length = before * scale
        return out * (before - 1) / (length - 1) if after > 1 else out * 0
    if coordinates == "asymmetric":
        return out / scale
    if coordinates == "pytorch_half_pixel" and after == 1:
        return out * 0
    if coordinates in ("half_pixel", "pytorch_half_pixel"):
        return (out + 0.5) / scale - 0.5
    if coordinates == "half_pixel_symmetric":
        adjustment = after / (scale * before)
        return before / 2 * (1 - adjustment) + (out + 0.5) / scale - 0.5
    raise RefusalError(f"Resize with the coordinates '{coordinates}' is not supported")


_ROUNDINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
}
