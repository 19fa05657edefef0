"""What it costs to say layers with several of TFLite's builtin operators, in TFLite Micro."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyflow.codegen.tflite import TfliteFile, write_tflite
from tinyflow.ir import Graph
from tinyflow.quantize.metrics import sqnr_db
from tinyflow.verify.engines import TfliteMicro
from tinyflow.verify.ladder.cut import cut_graph

Codes = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class LoweringCost:
    """A tensor as the file computes it, against the integer reference: SQNR in dB, infinite where
    all codes are equal.

    ``sqnr_db`` has the errors of all layers before it, ``alone_sqnr_db`` is that of a lowered layer
    by itself, on the reference's operands; None for an output that was not lowered.
    """

    layer: str
    op: str
    tensor: str
    sqnr_db: float
    alone_sqnr_db: float | None

    def to_json(self) -> dict[str, Any]:
        """``equal`` tells that all codes are; the SQNR is null then."""
        return {
            "layer": self.layer,
            "op": self.op,
            "equal": math.isinf(self.sqnr_db),
            "sqnr_db": _finite(self.sqnr_db),
            "alone_equal": self.alone_sqnr_db is not None and math.isinf(self.alone_sqnr_db),
            "alone_sqnr_db": None if self.alone_sqnr_db is None else _finite(self.alone_sqnr_db),
        }


@dataclass(frozen=True)
class LoweringCosts:
    """At each lowered layer and at each output of the graph. ``runtime`` computed the file."""

    runtime: str
    samples: int
    layers: tuple[LoweringCost, ...]
    outputs: tuple[LoweringCost, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "runtime": self.runtime,
            "samples": self.samples,
            "layers": [cost.to_json() for cost in self.layers],
            "outputs": [cost.to_json() for cost in self.outputs],
        }


def lowering_costs(graph: Graph, file: TfliteFile, samples: Codes) -> LoweringCosts:
    """Runs the file, and every lowered layer alone.

    ``samples`` are the codes [n, ...] of every activation as the integer reference computes them;
    ``file`` was written with these or others. Raises `MissingExtraError` without TFLite Micro.
    """
    engine = TfliteMicro()
    runtime = engine.name
    inputs = {name: samples[name] for name in graph.inputs}
    lowered = [node for node in graph.nodes if node.name in file.lowered_nodes]
    wanted = dict.fromkeys([*(node.output for node in lowered), *graph.outputs])
    whole = engine.run(file, graph, inputs, list(wanted))
    cut = cut_graph(graph, (), file.lowered_nodes)
    alone_file = write_tflite(cut.graph, samples=samples)
    alone_names = {original: name for name, original in cut.results.items() if original in wanted}
    cut_inputs = {name: samples[name] for name in cut.graph.inputs}
    alone = engine.run(alone_file, cut.graph, cut_inputs, list(alone_names.values()))

    def cost(tensor: str) -> LoweringCost:
        node = graph.producer(tensor)
        assert node is not None
        by_itself = None
        if node.name in file.lowered_nodes:
            by_itself = _sqnr(graph, samples, tensor, alone[alone_names[tensor]])
        return LoweringCost(
            node.name,
            node.op.value,
            tensor,
            _sqnr(graph, samples, tensor, whole[tensor]),
            by_itself,
        )

    return LoweringCosts(
        runtime,
        len(next(iter(inputs.values()))),
        tuple(cost(node.output) for node in lowered),
        tuple(cost(tensor) for tensor in graph.outputs),
    )


def _sqnr(graph: Graph, samples: Codes, tensor: str, codes: np.ndarray) -> float:
    zero = graph.tensors[tensor].params.zero_point
    expected, actual = (c.astype(np.float64) - zero for c in (samples[tensor], codes))
    return sqnr_db(expected, actual.reshape(expected.shape))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
