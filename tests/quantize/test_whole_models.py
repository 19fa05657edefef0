"""The int8 models of MLPerf Tiny: the reference equals TFLite Micro on every tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.paths import shared
from tinyflow.codegen.tflite.read import read_tflite
from tinyflow.ir import Graph
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.reference import run_reference, run_reference_batched
from tinyflow.targets.tflite_micro import open_interpreter

pytest.importorskip("tflite_micro")
pytest.importorskip("ai_edge_litert")
from tests.support.tflite_micro import run_model


def keyword_spotting() -> tuple[bytes, Graph, np.ndarray, np.ndarray]:
    stored = np.load(shared("kws01/samples.npz"))
    return *model("kws_ref_model.tflite"), stored["x"], stored["y"]


def image_classification() -> tuple[bytes, Graph, np.ndarray, np.ndarray]:
    stored = np.load(shared("cifar10/test.npz"))
    pixels = (stored["x"][:2000].astype(np.int16) - 128).astype(np.int8)
    content, graph = model("pretrainedResnet_quant.tflite")
    # The input's scale of 1 and zero point of -128 make a code of a pixel.
    params = graph.tensors[graph.inputs[0]].params
    assert (params.scale, params.zero_point) == (1.0, -128)
    return content, graph, pixels, stored["y"][:2000]


def model(name: str) -> tuple[bytes, Graph]:
    from tinyflow.importers.tflite import load

    path = shared(f"mlperf_tiny/{name}")
    return path.read_bytes(), attach_integers(load(path, None))


MODELS = [
    pytest.param(keyword_spotting, 0.901, id="kws"),
    pytest.param(image_classification, 0.765, id="resnet8"),
]


@pytest.mark.parametrize(("load", "accuracy"), MODELS)
def test_every_tensor_of_some_inputs(load: Callable, accuracy: float):
    content, graph, x, _ = load()
    extremes = np.stack([np.full_like(x[0], -128), np.full_like(x[0], 127)])
    x = np.concatenate([x[::200], extremes])
    indices = read_tflite(content).indices
    names = [node.output for node in graph.nodes]
    assert set(names) <= set(indices)
    expected = run_model(content, [x], indices, names)
    seen: dict[str, np.ndarray] = {}
    run_reference(graph, {graph.inputs[0]: x}, lambda name, array: seen.update({name: array}))
    for node in graph.nodes:
        got = seen[node.output]
        np.testing.assert_array_equal(got.ravel(), expected[node.output].ravel(), str(node.op))


@pytest.mark.slow
@pytest.mark.parametrize(("load", "accuracy"), MODELS)
def test_every_output(load: Callable, accuracy: float):
    content, graph, x, labels = load()
    (output,) = graph.outputs
    result = run_reference_batched(graph, {graph.inputs[0]: x})[output]
    assert (result.argmax(axis=-1) == labels).mean() == pytest.approx(accuracy, abs=1e-9)
    runner = open_interpreter(content)
    for sample, codes in zip(x, result, strict=True):
        runner.set_input(sample[None], 0)
        runner.invoke()
        np.testing.assert_array_equal(runner.get_output(0)[0], codes)
