"""Data as they were found, and the checks that turn them into a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinyflow.data.dataset import Dataset
from tinyflow.data.preprocess import Preprocess
from tinyflow.data.spec import InputSpec
from tinyflow.errors import DataError


@dataclass(frozen=True)
class DataOptions:
    """How data become numbers that the model takes.

    ``x_scale`` and ``x_zero_point`` give the meaning of integer data for a float model:
    ``real = x_scale * (x - x_zero_point)``.
    """

    preprocess: Preprocess = field(default_factory=Preprocess)
    x_scale: float | None = None
    x_zero_point: int | None = None

    def __post_init__(self) -> None:
        if (self.x_scale is None) != (self.x_zero_point is None):
            raise DataError(
                "x_scale and x_zero_point belong together, only one of them was given",
                "give both --x-scale and --x-zero-point",
            )


@dataclass(frozen=True)
class RawData:
    """Arrays [n, ...] by input name in the source model's layout, as some source gave them.

    ``scales`` are (scale, zero point) by input name where the source states them.
    """

    arrays: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    origin: str
    scales: Mapping[str, tuple[float, int]] = field(default_factory=dict)


def to_dataset(raw: RawData, specs: Sequence[InputSpec], options: DataOptions) -> Dataset:
    """Checks shapes and numbers against what the model expects, and brings them to its layout.

    Raises `DataError` naming what was expected and what was given.
    """
    inputs: dict[str, np.ndarray] = {}
    for spec in specs:
        array = raw.arrays[spec.name]
        _check_shape(array, spec, raw.origin)
        inputs[spec.name] = spec.to_stored(_to_numbers(array, spec, raw, options))
    counts = {name: len(array) for name, array in inputs.items()}
    if len(set(counts.values())) != 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise DataError(f"{raw.origin}: the inputs differ in number: {listed}")
    labels = _check_labels(raw, next(iter(counts.values())))
    return Dataset(inputs, labels, raw.origin)


def _check_shape(array: np.ndarray, spec: InputSpec, origin: str) -> None:
    expected = spec.shape[1:]
    if array.ndim == 0 or array.shape[1:] != expected:
        raise DataError(
            f"{origin}: input '{spec.name}' expects arrays of shape {_dims(('n', *expected))}, "
            f"the data have the shape {_dims(array.shape)}",
            _layout_hint(array, spec),
        )
    if len(array) == 0:
        raise DataError(f"{origin} holds no inputs", "give at least one input")


def _layout_hint(array: np.ndarray, spec: InputSpec) -> str:
    if len(spec.shape) == 4 and array.ndim == 4:
        _, a, b, c = array.shape
        moved = {1: (c, a, b), 3: (b, c, a)}[spec.channel_axis]
        if moved == spec.shape[1:]:
            order = {1: "NCHW: x.transpose(0, 3, 1, 2)", 3: "NHWC: x.transpose(0, 2, 3, 1)"}
            return f"data stand in the model's own layout, which is {order[spec.channel_axis]}"
    return "the first axis counts inputs, the others are the model's own, in its own layout"


def _to_numbers(
    array: np.ndarray, spec: InputSpec, raw: RawData, options: DataOptions
) -> np.ndarray:
    """Real numbers (float32), or codes where the source model takes them."""
    if array.dtype.kind == "f":
        real = array.astype(np.float32)
        if not np.isfinite(real).all():
            raise DataError(f"{raw.origin}: the data of input '{spec.name}' hold NaN or infinity")
        return real
    if array.dtype.kind not in "iu":
        raise DataError(
            f"{raw.origin}: the data of input '{spec.name}' are {array.dtype}, not numbers"
        )
    stated = raw.scales.get(spec.name)
    if stated is None and options.x_scale is not None and options.x_zero_point is not None:
        stated = (options.x_scale, options.x_zero_point)
    if stated is not None:
        scale, zero_point = stated
        return ((array.astype(np.float64) - zero_point) * scale).astype(np.float32)
    if spec.codes is not None and array.dtype == spec.codes.numpy:
        return array
    if array.dtype == np.uint8:
        return options.preprocess(array, spec.channel_axis)
    if spec.codes is None:
        raise DataError(
            f"{raw.origin}: the data of input '{spec.name}' are {array.dtype}, "
            "and the model takes real numbers",
            "say what the integers mean: x_scale and x_zero_point in the .npz, or --x-scale and "
            "--x-zero-point (only uint8 is taken as raw pixels)",
        )
    raise DataError(
        f"{raw.origin}: the data of input '{spec.name}' are {array.dtype}, "
        f"the model takes {spec.codes.value}",
        f"give {spec.codes.value} codes, uint8 pixels or float numbers",
    )


def _check_labels(raw: RawData, count: int) -> np.ndarray | None:
    labels = raw.labels
    if labels is None:
        return None
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{raw.origin}: y is {labels.dtype} of shape {_dims(labels.shape)}",
            "y holds one class number (an integer) per input",
        )
    if len(labels) != count:
        raise DataError(f"{raw.origin}: {count} inputs but {len(labels)} labels")
    return labels.astype(np.int64)


def _dims(shape: Sequence[int | str]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"
