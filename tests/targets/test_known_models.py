"""Known int8 models in the emulator: every byte of the outputs equals TFLite Micro's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import write_graph_bundle
from tests.support.paths import shared
from tinyflow.bundle import read_bundle
from tinyflow.importers import load_model
from tinyflow.ir import Graph
from tinyflow.passes import run_passes
from tinyflow.quantize import attach_integers, run_reference
from tinyflow.targets.runners import get_runner

pytestmark = pytest.mark.slow

MODELS = ("kws_ref_model.tflite", "pretrainedResnet_quant.tflite")


def load(file: str) -> Graph:
    return attach_integers(run_passes(load_model(shared(f"mlperf_tiny/{file}"))))


def keyword_inputs() -> tuple[np.ndarray, np.ndarray]:
    with np.load(shared("kws01/samples.npz")) as data:
        return data["x"], data["y"]


def picture_inputs(count: int) -> tuple[np.ndarray, np.ndarray]:
    with np.load(shared("cifar10/test.npz")) as data:
        codes = data["x"][:count].astype(np.int16) - 128
        return codes.astype(np.int8), data["y"][:count]


def tflite_micro_outputs(file: str, codes: np.ndarray) -> np.ndarray:
    from tinyflow.targets.tflite_micro import open_interpreter

    engine = open_interpreter(shared(f"mlperf_tiny/{file}").read_bytes())
    outputs = []
    for sample in codes:
        engine.set_input(sample[None], 0)
        engine.invoke()
        outputs.append(np.array(engine.get_output(0)))
    return np.concatenate(outputs)


def emulate(folder: Path, graph: Graph, codes: np.ndarray) -> np.ndarray:
    (name,) = graph.inputs
    bundle = read_bundle(write_graph_bundle(folder, graph, {name: codes[:2]}))
    result = get_runner("qemu").run(bundle, {name: codes})
    assert result.stack_bytes is not None
    assert result.stack_bytes < 932
    return result.outputs[graph.outputs[0]]


def test_keyword_spotting(tmp_path: Path) -> None:
    codes, labels = keyword_inputs()
    graph = load(MODELS[0])
    outputs = emulate(tmp_path / "bundle", graph, codes)
    np.testing.assert_array_equal(outputs, tflite_micro_outputs(MODELS[0], codes))
    assert 100 * np.mean(outputs.argmax(1) == labels) == pytest.approx(90.1)


def test_image_classification(tmp_path: Path) -> None:
    codes, _ = picture_inputs(2000)
    graph = load(MODELS[1])
    outputs = emulate(tmp_path / "bundle", graph, codes)
    np.testing.assert_array_equal(outputs, tflite_micro_outputs(MODELS[1], codes))


@pytest.mark.parametrize("file", MODELS)
@pytest.mark.parametrize("on", ["host", "qemu"])
def test_every_tap_equals_the_reference(tmp_path: Path, file: str, on: str) -> None:
    graph = load(file)
    codes = keyword_inputs()[0][:24] if "kws" in file else picture_inputs(8)[0]
    inputs = {graph.inputs[0]: codes}
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, observe=expected.__setitem__)
    bundle = read_bundle(write_graph_bundle(tmp_path / "bundle", graph, inputs))
    result = get_runner(on).run(bundle, inputs, taps=True, sanitize=on == "host")
    assert result.taps is not None
    assert len(result.taps) >= 12
    for name, array in result.taps.items():
        np.testing.assert_array_equal(array, expected[name], name)
