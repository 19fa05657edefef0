"""Calibration: what values each activation takes on representative inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinyflow.errors import DataError, ModelError
from tinyflow.ir import Graph, batches, execute
from tinyflow.ir.execute import Observer
from tinyflow.quantize.options import Progress
from tinyflow.quantize.ranges import Range

BINS = 2048
_BATCH_BYTES = 128 << 20
_LARGEST_BATCH = 64
_PIECE = 1 << 15
"""Values that are sorted into bins at a time: the work arrays stay in the processor's cache."""


def batch_size(graph: Graph) -> int:
    """Samples that fit into bounded memory with all their float activations."""
    floats = sum(t.elements for t in graph.tensors.values() if not t.is_constant)
    return max(1, min(_LARGEST_BATCH, _BATCH_BYTES // (4 * floats)))


def check_samples(graph: Graph, samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The calibration data as float32 [n, ...] per graph input.

    Raises `DataError` where an input is missing, empty, of another shape or not finite.
    """
    unknown = sorted(set(samples) - set(graph.inputs))
    if unknown:
        raise DataError(
            f"the calibration data hold '{unknown[0]}', which is no input of the model",
            f"its inputs are {', '.join(graph.inputs)}",
        )
    checked = {name: _check_input(graph, name, samples) for name in graph.inputs}
    counts = {name: len(array) for name, array in checked.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{count} for '{name}'" for name, count in counts.items())
        raise DataError(f"the calibration data have different numbers of samples: {listed}")
    return checked


def _check_input(graph: Graph, name: str, samples: Mapping[str, np.ndarray]) -> np.ndarray:
    expected = graph.tensors[name].shape[1:]
    wanted = "[n" + "".join(f", {d}" for d in expected) + "]"
    if name not in samples:
        raise DataError(f"calibration data for input '{name}' of shape {wanted} are missing")
    array = np.asarray(samples[name])
    if array.ndim != len(expected) + 1 or array.shape[1:] != expected:
        raise DataError(
            f"the calibration data for input '{name}' have the shape {list(array.shape)}, "
            f"the model takes {wanted}"
        )
    if not len(array):
        raise DataError(
            f"the calibration data for input '{name}' are empty: shape {list(array.shape)}, "
            f"the model takes {wanted} with n of 1 or more",
            "about 100 representative samples suffice",
        )
    if array.dtype.kind not in "fiub":
        raise DataError(f"the calibration data for input '{name}' are not numbers: {array.dtype}")
    array = array.astype(np.float32, copy=False)
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if bad.size:
        raise DataError(
            f"the calibration data for input '{name}' {list(array.shape)} hold NaN or infinity, "
            f"first in sample {bad[0]}"
        )
    return array


def observe_ranges(
    graph: Graph, samples: Mapping[str, np.ndarray], progress: Progress | None = None
) -> dict[str, Range]:
    """The smallest and largest value of each activation, graph inputs included."""
    lo: dict[str, float] = {}
    hi: dict[str, float] = {}

    def observe(name: str, array: np.ndarray) -> None:
        low, high = float(array.min()), float(array.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            node = graph.producer(name)
            layer = node.name if node is not None else name
            raise ModelError(
                f"layer '{layer}' computes NaN or infinity on the calibration data",
                "check that the data are scaled as in training",
            )
        lo[name] = min(low, lo.get(name, low))
        hi[name] = max(high, hi.get(name, high))

    with np.errstate(over="ignore", invalid="ignore"):
        _run(graph, samples, observe, "calibration: ranges", progress)
    return {name: Range(lo[name], hi[name]) for name in lo}


def observe_histograms(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    spans: Mapping[str, Range],
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """How often each activation of ``spans`` falls into each of `BINS` equal bins of its span.

    Values outside the span count in the outermost bins. int64 [BINS] per tensor.
    """
    counts = {name: np.zeros(BINS, dtype=np.int64) for name in spans}

    def observe(name: str, array: np.ndarray) -> None:
        span = spans.get(name)
        if span is None or span.width == 0.0:
            return
        values = array.reshape(-1)
        for start in range(0, len(values), _PIECE):
            position = values[start : start + _PIECE].astype(np.float64)
            position -= span.lo
            position *= BINS / span.width
            np.clip(position, 0, BINS - 1, out=position)
            counts[name] += np.bincount(position.astype(np.intp), minlength=BINS)

    _run(graph, samples, observe, "calibration: histograms", progress)
    return counts


def _run(
    graph: Graph,
    samples: Mapping[str, np.ndarray],
    observe: Observer,
    stage: str,
    progress: Progress | None,
) -> None:
    size = batch_size(graph)
    total = len(next(iter(samples.values())))
    for number, batch in enumerate(batches(samples, size)):
        execute(graph, batch, observe)
        if progress is not None:
            progress(stage, min((number + 1) * size, total), total)
