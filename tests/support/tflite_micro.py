"""TFLite Micro as an oracle: every tensor of a model, for one input at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinyflow.codegen.tflite import write_tflite
from tinyflow.ir import Graph
from tinyflow.targets.tflite_micro import open_interpreter


def run_tflite_micro(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every activation of ``graph`` [batch, ...] as TFLite Micro computes it."""
    file = write_tflite(graph)
    names = [node.output for node in graph.nodes]
    return run_model(file.data, [inputs[name] for name in graph.inputs], file.indices, names)


def run_model(
    model: bytes, inputs: list[np.ndarray], indices: Mapping[str, int], names: list[str]
) -> dict[str, np.ndarray]:
    """The tensors ``names`` [batch, ...] of a .tflite file."""
    runner = open_interpreter(model, keep_all=True)
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for sample in range(len(inputs[0])):
        for number, array in enumerate(inputs):
            runner.set_input(array[sample : sample + 1], number)
        runner.invoke()
        for name in names:
            data = runner.GetTensor(indices[name], 0)["tensor_data"]
            found[name].append(np.array(data))
    return {name: np.concatenate(parts) for name, parts in found.items()}
