"""What a bundle has to compute.

That is what the integer reference computes of its graph. Only a model that was lowered to builtin
operators is its .tflite file, whose codes are others: there TensorFlow Lite Micro's interpreter on
this computer says what is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyflow.bundle import TFLITE, Bundle
from tinyflow.codegen.tflite.read import read_tflite
from tinyflow.quantize import run_reference, run_reference_batched
from tinyflow.verify.engines import TfliteMicro

Arrays = dict[str, np.ndarray]

REFERENCE = "integer reference"
LOWERED = "lowered file in TFLite Micro"


def expected_by(bundle: Bundle) -> str:
    """What says so, in a few words: behind "the"."""
    return LOWERED if bundle.is_lowered else REFERENCE


def expected_tensors(bundle: Bundle, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """The codes [n, ...] of what every node computes, for ``inputs`` [n, ...] in codes. Raises
    `MissingExtraError` where the bundle is lowered and the interpreter not at hand."""
    if bundle.is_lowered:
        return _run_file(bundle, inputs, [node.output for node in bundle.graph.nodes])
    tensors: Arrays = {}
    run_reference(bundle.graph, inputs, observe=tensors.__setitem__)
    return tensors


def expected_outputs(bundle: Bundle, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """As `expected_tensors`, of the graph's outputs only, for any number of inputs."""
    if bundle.is_lowered:
        return _run_file(bundle, inputs, bundle.graph.outputs)
    return run_reference_batched(bundle.graph, inputs)


def _run_file(bundle: Bundle, inputs: Mapping[str, np.ndarray], names: Sequence[str]) -> Arrays:
    graph = bundle.graph
    found = TfliteMicro().run(read_tflite(bundle.read(TFLITE)), graph, dict(inputs), names)
    return {
        name: codes.reshape(len(codes), *graph.tensors[name].shape[1:])
        for name, codes in found.items()
    }
