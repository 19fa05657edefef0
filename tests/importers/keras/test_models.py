"""Models straight from Keras: what they compute, what their layers are called, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.keras_process import keras_models
from tinyflow.errors import ModelError, UnsupportedError
from tinyflow.importers import load_model
from tinyflow.importers.keras import load_open
from tinyflow.importers.keras.process import TensorFlowProcess
from tinyflow.ir import Graph, execute
from tinyflow.passes import run_passes

pytest.importorskip("tensorflow", reason="needs the extra keras")

TOLERANCE = 1e-5
LAYERS = (
    "border",
    "head/hidden",
    "head/dense",
    "stem",
    "block/mix",
    "block/swish/sigmoid",
    "block/swish/mul",
    "block/sum",
    "again/conv_2d",
    "max_pooling2d",
    "again/conv_2d_1",
    "both",
    "separable/depthwise_conv_2d",
    "separable/conv_2d",
    "separable/tanh",
    "pooled",
    "fused",
    "scores/fully_connected",
    "scores/softmax",
    "up",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keras_models(tmp_path_factory)


def _assert_equal_to_keras(graph: Graph, outputs: tuple[str, ...], folder: Path) -> None:
    """``outputs`` are the graph's names of the zoo's two outputs."""
    with np.load(folder / "zoo.npz") as arrays:
        inputs = {name: arrays[name] for name in ("picture", "facts")}
        expected = [arrays["scores"], arrays["up"]]
    assert set(graph.inputs) == set(inputs)
    assert graph.outputs == outputs
    for candidate in (graph, run_passes(graph)):
        found = execute(candidate, inputs)
        for name, wanted in zip(outputs, expected, strict=True):
            error = np.abs(found[name] - wanted).max() / np.abs(wanted).max()
            assert error < TOLERANCE, name


@pytest.mark.slow
def test_a_keras_file_computes_what_keras_does(folder: Path) -> None:
    graph = load_model(folder / "zoo.keras")
    _assert_equal_to_keras(graph, ("scores", "up"), folder)
    assert graph.inputs == ("picture", "facts")
    assert {node.name for node in graph.nodes} == set(LAYERS)
    sources = {node.name: node.sources for node in graph.nodes}
    assert sources["stem"] == ("stem", "stem_norm", "stem_relu")
    assert sources["block/mix"] == ("block/mix", "block/norm")
    assert {"stem_relu", "block/norm", "fused"} <= graph.tensors.keys()
    assert {"stem/weight", "stem/bias"} <= graph.constants.keys()


@pytest.mark.slow
def test_a_saved_model_computes_what_keras_does(folder: Path) -> None:
    graph = load_model(folder / "zoo")
    _assert_equal_to_keras(graph, ("output_0", "output_1"), folder)
    # A SavedModel holds operations, whose names Keras derives from those of its layers.
    names = {node.name for node in graph.nodes}
    assert {"zoo_1/pooled_1", "zoo_1/block_1/sum_1"} <= names


@pytest.mark.slow
def test_what_stands_in_the_way_is_said_at_once(folder: Path) -> None:
    with TensorFlowProcess(folder / "refused.h5") as tensorflow:
        with pytest.raises(ModelError, match=r"'series' has no fixed shape: \?x\?x4") as caught:
            load_open(tensorflow)
        assert "--shape series=1xNx4" in caught.value.hint
        with pytest.raises(ModelError, match="2x5x4: its first axis"):
            load_open(tensorflow, {"series": (2, 5, 4)})
        with pytest.raises(ModelError, match="no input 'x'"):
            load_open(tensorflow, {"x": (1, 5, 4)})
        with pytest.raises(UnsupportedError) as refused:
            load_open(tensorflow, {"series": (1, 5, 4)})
    reasons = {o.layer: o.reason for o in refused.value.obstacles}
    assert len(refused.value.obstacles) == 2
    assert reasons["memory"] == "LSTM is a recurrent layer, and those are not supported"
    assert reasons["gates"] == "Bidirectional is a recurrent layer, and those are not supported"
