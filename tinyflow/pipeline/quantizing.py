"""The step from a source model to an integer graph."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.data import Dataset
from tinyflow.ir import Graph, Rounding
from tinyflow.pipeline.postprocess import postprocess
from tinyflow.pipeline.source import Source
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions
from tinyflow.quantize import (
    QuantizeOptions,
    RangeMethod,
    Removal,
    attach_integers,
    quantize_model,
    remove_dead_channels,
)


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """``whole`` has every channel of the source model and its outputs as they are;
    ``removal.graph`` only the channels on which the outputs depend, and its post-processing, and is
    what gets compiled."""

    whole: Graph
    removal: Removal

    @property
    def graph(self) -> Graph:
        return self.removal.graph


def quantize(
    source: Source, calibration: Dataset | None, options: CompileOptions, progress: Progress
) -> IntegerModel:
    """The canonical graph with integers everywhere, and what is compiled of it."""
    whole = _quantize(source, calibration, options, progress)
    removal = remove_dead_channels(postprocess(whole, options))
    if removal.channels:
        progress.note(
            f"{removal.channels} channels are constant or unused and were removed, with "
            f"{removal.macs:,} multiply-accumulates"
        )
    return IntegerModel(whole, removal)


def _quantize(
    source: Source, calibration: Dataset | None, options: CompileOptions, progress: Progress
) -> Graph:
    """The canonical graph with integers everywhere, whatever the source was."""
    graph = source.canonical
    rounding = Rounding(options.rounding)
    if graph.is_quantized:
        return graph
    if not source.is_float:
        return attach_integers(graph, rounding)
    if calibration is None:
        progress.stage("Quantizing to int8 with the model's own scales")
    else:
        progress.stage(f"Quantizing to int8 on {len(calibration)} inputs")
    choices = QuantizeOptions(
        ranges=RangeMethod(options.ranges), rounding=rounding, input_ranges=options.input_ranges
    )
    samples = None if calibration is None else calibration.reals(graph)
    return quantize_model(graph, samples, choices, progress.count)
