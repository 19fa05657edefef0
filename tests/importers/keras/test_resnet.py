"""ResNet8 of MLPerf Tiny straight from Keras, against TensorFlow and against its .tflite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.keras_process import keras_models
from tests.support.paths import shared
from tinyflow.importers.keras import load_open
from tinyflow.importers.tflite import load as load_tflite
from tinyflow.ir import DType, Graph, execute_batched
from tinyflow.ir.serialize import to_bytes
from tinyflow.passes import run_passes
from tinyflow.quantize import QuantizeOptions, quantize_model, run_reference_batched
from tinyflow.verify.sources.keras import KerasRuntime

pytest.importorskip("tensorflow", reason="needs the extra keras")

TOLERANCE = 1e-5
CALIBRATION, TEST = slice(0, 48), slice(48, 112)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    with np.load(shared("cifar10/test.npz")) as arrays:
        return arrays["x"][:112].astype(np.float32)


def _quantized_codes(graph: Graph, pictures: np.ndarray) -> np.ndarray:
    codes = {
        name: graph.tensors[name].params.quantize(pictures, DType.INT8) for name in graph.inputs
    }
    return run_reference_batched(graph, codes)[graph.outputs[0]]


def _quantized(graph: Graph, pictures: np.ndarray, correct: bool = True) -> Graph:
    options = QuantizeOptions(bias_correction=correct)
    return quantize_model(run_passes(graph), {graph.inputs[0]: pictures[CALIBRATION]}, options)


def _renamed(graph: Graph, like: Graph) -> Graph:
    """``graph`` with the names that ``like`` has at the same places."""
    names: dict[str, str] = dict(zip(graph.inputs, like.inputs, strict=True))
    for node, model in zip(graph.nodes, like.nodes, strict=True):
        assert node.op is model.op
        ours, theirs = (*node.inputs, *node.outputs), (*model.inputs, *model.outputs)
        for old, new in zip(ours, theirs, strict=True):
            assert names.setdefault(old, new) == new
    nodes = tuple(
        replace(
            node,
            name=model.name,
            sources=model.sources,
            inputs=tuple(names[i] for i in node.inputs),
            outputs=tuple(names[o] for o in node.outputs),
        )
        for node, model in zip(graph.nodes, like.nodes, strict=True)
    )
    return replace(
        graph,
        name=like.name,
        nodes=nodes,
        tensors={names[n]: replace(t, name=names[n]) for n, t in graph.tensors.items()},
        inputs=like.inputs,
        outputs=like.outputs,
    )


@pytest.mark.slow
def test_resnet(pictures: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    runtime = KerasRuntime(shared("mlperf_tiny/pretrainedResnet.h5"))
    imported = load_open(runtime.process)
    _assert_equal_to_tensorflow(imported, runtime, pictures[:16])
    ours = _quantized(imported, pictures)
    # The same converter gives the same floats, so that the bundles differ in names alone.
    converted = load_tflite(keras_models(tmp_path_factory) / "resnet.tflite")
    assert to_bytes(_renamed(_quantized(converted, pictures), ours)) == to_bytes(ours)
    # Bias correction is measured on integers, and would magnify what float rounding turns.
    published = load_tflite(shared("mlperf_tiny/pretrainedResnet.tflite"))
    plain, theirs = (_quantized(g, pictures, correct=False) for g in (imported, published))
    _assert_equal_but_for_float_rounding(plain, theirs)
    first, second = (_quantized_codes(g, pictures[TEST]) for g in (plain, theirs))
    assert np.array_equal(first.argmax(axis=1), second.argmax(axis=1))
    assert np.abs(first.astype(int) - second).max() <= 4
    assert (first == second).mean() > 0.99


def _assert_equal_to_tensorflow(
    imported: Graph, runtime: KerasRuntime, pictures: np.ndarray
) -> None:
    inputs = {"input_1": pictures}
    names = [node.output for node in imported.nodes]
    found = runtime.run(inputs, names)
    ours = execute_batched(replace(imported, outputs=tuple(names)), inputs)
    # The dense layer is three nodes, of which the last is the layer's output.
    assert set(names) - set(found) == {"dense/reshape", "dense/fully_connected"}
    assert np.abs(found["dense"] - ours["dense"]).max() < TOLERANCE
    for name, wanted in found.items():
        assert np.abs(ours[name] - wanted).max() < TOLERANCE * np.abs(wanted).max(), name


def _assert_equal_but_for_float_rounding(ours: Graph, published: Graph) -> None:
    """Another converter on another processor folded the batch normalization of the published
    file, so that its weights are off by some units in the last place of float32: no more follows
    from it than scales that differ as little, and single biases that are rounded otherwise."""
    theirs = _renamed(published, ours)
    for node, other in zip(ours.nodes, theirs.nodes, strict=True):
        assert (node.attrs, node.inputs, node.output) == (other.attrs, other.inputs, other.output)
    for name, tensor in ours.tensors.items():
        twin = theirs.tensors[name]
        assert (tensor.shape, tensor.dtype) == (twin.shape, twin.dtype)
        if tensor.quant is not None:
            assert tensor.params.zero_points == twin.params.zero_points, name
            np.testing.assert_allclose(
                np.array(tensor.params.scales), np.array(twin.params.scales), rtol=2e-6
            )
        if tensor.is_constant and tensor.dtype is DType.INT8:
            assert np.array_equal(tensor.value, twin.value), name
        if tensor.is_constant and tensor.dtype is DType.INT32:
            assert np.abs(tensor.value - twin.value).max() <= 1, name
