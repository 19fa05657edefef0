"""Source models in their own runtimes: every tensor that the importer keeps is the same there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import shared
from tests.support.tflite_builder import TfliteBuilder
from tinyflow import demo
from tinyflow.data.spec import to_source
from tinyflow.errors import DataError, ModelError, UsageError
from tinyflow.importers import load_model
from tinyflow.ir import Graph, execute
from tinyflow.quantize import attach_integers, run_reference_batched
from tinyflow.verify.sources import open_source, run_source
from tinyflow.verify.sources.tflite import TfliteRuntime

TOLERANCE = 1e-5
DIGITS = Path(demo.__file__).parent / "digits.onnx"


def _random_inputs(graph: Graph, count: int = 3) -> dict[str, np.ndarray]:
    """For a graph whose inputs have the source's layout."""
    rng = np.random.default_rng(5)
    return {
        name: rng.normal(size=(count, *graph.tensors[name].shape[1:])).astype(np.float32)
        for name in graph.inputs
    }


def _assert_same_tensors(graph: Graph, found: dict[str, np.ndarray]) -> None:
    """``found`` is what the runtime computes for `_random_inputs`."""
    ours: dict[str, np.ndarray] = {}
    execute(graph, _random_inputs(graph), lambda name, array: ours.update({name: array}))
    assert set(graph.outputs) <= found.keys()
    for name, theirs in found.items():
        mine = to_source(graph, name, ours[name])
        assert mine.shape == theirs.shape
        assert np.abs(mine - theirs).max() < TOLERANCE * max(np.abs(theirs).max(), 1), name


def _activations(graph: Graph) -> list[str]:
    return [node.output for node in graph.nodes]


def test_onnx_gives_the_tensors_of_its_layers() -> None:
    graph = load_model(DIGITS)
    source = open_source(DIGITS)
    assert source.name.startswith("onnxruntime ")
    assert (source.inputs, source.outputs) == (graph.inputs, graph.outputs)
    names = _activations(graph)
    found = source.run(_random_inputs(graph), [*names, "nothing of that name"])
    assert len(found) >= 15
    _assert_same_tensors(graph, found)
    # The importer's own tensors, such as those in another layout, are not the source's.
    assert "nothing of that name" not in found
    assert set(found) < set(names)


def test_torch_gives_the_tensors_of_its_nodes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten()]
    module = nn.Sequential(*layers, nn.Linear(144, 5)).eval()
    program = torch.export.export(module, (torch.zeros(1, 3, 8, 8),))
    torch.export.save(program, tmp_path / "m.pt2")
    graph = load_model(tmp_path / "m.pt2")
    inputs = _random_inputs(graph)
    found = open_source(tmp_path / "m.pt2").run(inputs, _activations(graph))
    assert len(found) >= 5
    _assert_same_tensors(graph, found)
    for model in (program, module):
        again = run_source(model, inputs)
        assert list(again) == ["output"]
        assert np.array_equal(again["output"], found["output"])


def test_float_tflite_gives_every_tensor() -> None:
    path = shared("mlperf_tiny/pretrainedResnet.tflite")
    graph = load_model(path)
    found = open_source(path).run(_random_inputs(graph), _activations(graph))
    assert set(found) == set(_activations(graph))
    _assert_same_tensors(graph, found)


def test_int8_tflite_takes_and_gives_the_integers_of_its_graph() -> None:
    path = shared("mlperf_tiny/kws_ref_model.tflite")
    graph = load_model(path)
    rng = np.random.default_rng(5)
    (name,) = graph.inputs
    codes = rng.integers(-128, 128, (4, *graph.tensors[name].shape[1:]), dtype=np.int8)
    found = TfliteRuntime(path, reference=True).run({name: codes}, _activations(graph))
    expected = run_reference_batched(attach_integers(graph), {name: codes})
    assert found.keys() == set(_activations(graph))
    for output, wanted in expected.items():
        assert found[output].dtype == np.int8
        # LiteRT rounds once where TFLite Micro rounds twice.
        assert np.abs(found[output].astype(int) - wanted).max() <= 1


def test_what_no_runtime_takes_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no runtime runs"):
        open_source(tmp_path / "model.tfq")
    with pytest.raises(DataError, match="takes the inputs 'image', given were 'x'"):
        run_source(DIGITS, {"x": np.zeros((1, 1, 28, 28), np.float32)})
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot open"):
        open_source(tmp_path / "broken.onnx")
    path = tmp_path / "relu.tflite"
    path.write_bytes(_relu())
    with pytest.raises(DataError, match="the input 'x' is float32, given was float64"):
        run_source(path, {"x": np.zeros((1, 4))})


def _relu() -> bytes:
    builder = TfliteBuilder()
    x, y = builder.tensor("x", (1, 4)), builder.tensor("y", (1, 4))
    builder.op("RELU", [x], [y])
    return builder.build([x], [y])
