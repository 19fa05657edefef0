"""Holds float .tflite files against the runtime that is installed; needs nothing else.

python -m tests.support.compare_with_source MODEL...
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tinyflow.importers import load_model
from tinyflow.ir import execute
from tinyflow.passes import run_passes
from tinyflow.verify.sources import open_source

TOLERANCE = 1e-5


def main(paths: list[Path]) -> None:
    for path in paths:
        graph = load_model(path)
        rng = np.random.default_rng(3)
        inputs = {
            name: rng.normal(size=(8, *graph.tensors[name].shape[1:])).astype(np.float32)
            for name in graph.inputs
        }
        source = open_source(path)
        theirs = source.run(inputs, [node.output for node in graph.nodes])
        ours: dict[str, np.ndarray] = {}
        execute(graph, inputs, lambda name, array: ours.update({name: array}))  # noqa: B023
        for name, wanted in theirs.items():
            error = np.abs(ours[name] - wanted).max() / np.abs(wanted).max()
            assert error < TOLERANCE, (name, error)
        for name, array in execute(run_passes(graph), inputs).items():
            assert np.abs(array - theirs[name]).max() < TOLERANCE, name
        print(f"{path.stem}: {len(theirs)} tensors, {source.name}, numpy {np.__version__}")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
