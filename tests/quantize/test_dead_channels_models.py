"""The removal on whole networks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.mobilenet import BLOCKS, FIRST, mobilenet
from tests.support.paths import shared
from tests.support.random_graphs import random_inputs
from tinyflow.ir import Op
from tinyflow.passes import run_passes
from tinyflow.quantize import remove_dead_channels, run_reference
from tinyflow.quantize.attach import attach_integers


def predicted_macs(dead: list[np.ndarray]) -> int:
    """Of a network whose dead channels are all gone."""
    size, before = 48, FIRST
    total = size * size * 27 * FIRST
    for (stride, _), gone in zip(BLOCKS, dead, strict=True):
        size = -(-size // stride)
        after = int((~gone).sum())
        total += size * size * before * (9 + after)
        before = after
    return total + before * 2


def test_half_of_a_mobilenet_falls() -> None:
    graph, dead = mobilenet(seed=1, dead_share=0.5)
    whole = sum(graph.macs(node) for node in graph.nodes)
    assert whole == predicted_macs([np.zeros_like(gone) for gone in dead]) == 7_489_664

    removal = remove_dead_channels(graph)
    left = sum(removal.graph.macs(node) for node in removal.graph.nodes)
    assert left == predicted_macs(dead) == whole - removal.macs
    assert left < whole / 2
    kept = [removal.kept[n.output] for n in graph.nodes if n.name.startswith("pointwise")]
    for gone, channels in zip(dead, kept, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(~gone), channels)

    inputs = random_inputs(graph, 6)
    before: dict[str, np.ndarray] = {}
    after: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, before.__setitem__)
    run_reference(removal.graph, inputs, after.__setitem__)
    assert set(before) == set(after)
    for name, codes in after.items():
        np.testing.assert_array_equal(codes, before[name][..., removal.kept[name]], name)
    # The network has not died of its random weights.
    assert len(np.unique(before["pointwise_12:0"])) > 20
    assert len(np.unique(after["dense:0"])) > 2


@pytest.mark.parametrize("name", ["kws_ref_model.tflite", "pretrainedResnet_quant.tflite"])
def test_mlperf_models_stay_as_they_are(name: str) -> None:
    """None of their channels is dead by interval analysis."""
    pytest.importorskip("ai_edge_litert")
    from tinyflow.importers.tflite import load

    graph = attach_integers(run_passes(load(shared(f"mlperf_tiny/{name}"), None)))
    removal = remove_dead_channels(graph)
    inputs = random_inputs(graph, 8)
    expected = run_reference(graph, inputs)
    for output, codes in run_reference(removal.graph, inputs).items():
        np.testing.assert_array_equal(codes, expected[output])
    assert (removal.channels, removal.macs) == (0, 0)


def test_dead_channels_planted_into_keyword_spotting_fall() -> None:
    pytest.importorskip("ai_edge_litert")
    from dataclasses import replace

    from tinyflow.importers.tflite import load

    graph = run_passes(load(shared("mlperf_tiny/kws_ref_model.tflite"), None))
    pointwise = [n for n in graph.nodes if n.op is Op.CONV_2D][1]
    bias = graph.tensors[pointwise.inputs[2]]
    data = bias.value.copy()
    data[[3, 20, 41]] = -(2**24)
    tensors = {**graph.tensors, bias.name: replace(bias, data=data)}
    graph = attach_integers(replace(graph, tensors=tensors))
    removal = remove_dead_channels(graph)
    # The three channels and what the depthwise layer makes of them.
    assert removal.channels == 6
    stored = np.load(shared("kws01/samples.npz"))["x"][::100]
    (name,) = graph.inputs
    expected = run_reference(graph, {name: stored})
    for output, codes in run_reference(removal.graph, {name: stored}).items():
        np.testing.assert_array_equal(codes, expected[output])
