"""The step from a source model to an integer graph."""

from __future__ import annotations

from tinyflow.data import Dataset
from tinyflow.ir import Graph, Rounding
from tinyflow.pipeline.source import Source
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions
from tinyflow.quantize import QuantizeOptions, RangeMethod, attach_integers, quantize_model


def quantize(
    source: Source, calibration: Dataset | None, options: CompileOptions, progress: Progress
) -> Graph:
    """The canonical graph with integers everywhere, whatever the source was."""
    graph = source.canonical
    rounding = Rounding(options.rounding)
    if graph.is_quantized:
        return graph
    if calibration is None:
        return attach_integers(graph, rounding)
    progress.stage(f"Quantizing to int8 on {len(calibration)} inputs")
    choices = QuantizeOptions(
        ranges=RangeMethod(options.ranges), rounding=rounding, input_ranges=options.input_ranges
    )
    return quantize_model(graph, calibration.reals(graph), choices, progress.count)
