"""Labels and boxes: the integer reference against float, and the C code against the reference."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.compiled import Job, compile_and_run
from tests.support.graphs import GraphBuilder
from tests.support.postprocessing import IMAGE, anchors, detector, identity, labeller
from tinyflow.codegen.c import demands_of
from tinyflow.codegen.c.variants import choose_variants
from tinyflow.codegen.schedule import make_schedule
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Graph, Op, QuantParams
from tinyflow.ir.ops.detection import DetectionAttrs, evaluate
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.resize_bilinear import evaluate as resize
from tinyflow.quantize import attach_integers, run_reference
from tinyflow.quantize.postprocess import add_detection
from tinyflow.quantize.site import NoIntegerFormError


def codes(graph: Graph, n: int, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.integers(-128, 128, (n, *graph.tensors[name].shape[1:])).astype(np.int8)
        for name in graph.inputs
    }


def run_c(graph: Graph, inputs: dict[str, np.ndarray], folder) -> np.ndarray:
    choices = choose_variants(graph)
    schedule = make_schedule(graph, demands_of(graph, choices))
    (result,) = compile_and_run([Job(schedule, inputs, choices)], folder)
    return result.outputs[graph.outputs[0]]


ATTRS = {
    "usual": DetectionAttrs(IMAGE, background=5),
    "first class is background": DetectionAttrs(IMAGE, background=0),
    "few candidates": DetectionAttrs(IMAGE, background=5, candidates=17),
    "few detections": DetectionAttrs(IMAGE, background=5, detections=3),
    "nothing is good enough": DetectionAttrs(IMAGE, background=5, score_threshold=0.999999),
    "all overlaps are allowed": DetectionAttrs(IMAGE, background=5, iou_threshold=1.0),
    "no overlap is allowed": DetectionAttrs(IMAGE, background=5, iou_threshold=0.0),
}


@pytest.mark.parametrize("case", ATTRS)
def test_c_finds_the_boxes_of_the_reference(case, tmp_path):
    graph = detector(60, 6, ATTRS[case])
    inputs = codes(graph, 4)
    expected = run_reference(graph, inputs)[graph.outputs[0]]
    np.testing.assert_array_equal(run_c(graph, inputs, tmp_path), expected)
    found = (expected[:, :, 4] > 0).sum()
    assert (found == 0) == (case == "nothing is good enough")


def test_equal_scores_keep_their_order(tmp_path):
    graph = detector(40, 6, DetectionAttrs(IMAGE, background=5, candidates=21))
    inputs = {name: np.sign(x) for name, x in codes(graph, 2).items()}
    expected = run_reference(graph, inputs)[graph.outputs[0]]
    np.testing.assert_array_equal(run_c(graph, inputs, tmp_path), expected)


def test_boxes_are_those_of_float_arithmetic():
    attrs = DetectionAttrs(IMAGE, background=5, iou_threshold=1.0, detections=50)
    graph = detector(60, 6, attrs)
    inputs = codes(graph, 6)
    reals = [graph.tensors[name].params.dequantize(inputs[name]) for name in graph.inputs]
    expected = evaluate(attrs, *(r.astype(np.float64) for r in reals), anchors(60, 0))
    (out,) = graph.outputs
    found = run_reference(graph, inputs)[out] / 65536
    # Scores are rounded down to 1/32768: neighbours in the order may change places.
    np.testing.assert_allclose(found[:, :, 4], expected[:, :, 4], atol=1e-4)
    same = (found[:, :, 5] == expected[:, :, 5]) & (
        np.abs(found[:, :, :4] - expected[:, :, :4]).max(axis=-1) < 0.25
    )
    assert same.mean() > 0.95


def test_duplicates_of_a_class_are_dropped():
    b = GraphBuilder()
    logits = identity(b, "logits", (1, 3, 3), QuantParams.per_tensor(0.1, 0))
    deltas = identity(b, "deltas", (1, 3, 4), QuantParams.per_tensor(0.1, 0))
    same = np.array([[50.0, 50, 20, 20], [51, 50, 20, 20], [50, 51, 20, 20]])
    attrs = DetectionAttrs(IMAGE, background=2)
    graph = add_detection(attach_integers(b.build(logits, deltas)), logits, deltas, same, attrs)
    scores = np.array([[[40, 0, 0], [50, 0, 0], [0, 60, 0]]], np.int8)
    found = run_reference(graph, {"logits": scores, "deltas": np.zeros((1, 3, 4), np.int8)})
    rows = found[graph.outputs[0]][0] / 65536
    assert rows[rows[:, 4] > 0.5][:, [0, 1, 2, 3, 5]].tolist() == [
        [40, 41, 60, 61, 1],
        [41, 40, 61, 60, 0],
    ]


@pytest.mark.parametrize(("channels", "dtype"), [(2, np.uint8), (256, np.uint8), (300, np.int16)])
def test_labels_of_pixels(channels, dtype, tmp_path):
    graph = labeller(channels)
    inputs = {"x": np.clip(codes(graph, 5)["x"], -3, 100)}
    (out,) = graph.outputs
    expected = run_reference(graph, inputs)[out]
    assert expected.dtype == dtype
    np.testing.assert_array_equal(expected[..., 0], inputs["x"].argmax(axis=-1))
    np.testing.assert_array_equal(run_c(graph, inputs, tmp_path), expected)


def test_an_image_too_large_for_the_coordinates_is_refused():
    with pytest.raises((NoIntegerFormError, UnsupportedError), match="2048x10 pixels"):
        detector(4, 3, DetectionAttrs((2048, 10), background=2))


@pytest.mark.parametrize("channels", [3, 300])
@pytest.mark.parametrize("half_pixel", [False, True])
def test_labels_of_an_enlarged_image_without_storing_it(channels, half_pixel, tmp_path):
    size = ResizeAttrs((17, 12), half_pixel_centers=half_pixel)
    graph = labeller(channels, size)
    assert [node.op for node in graph.nodes] == [Op.CLAMP, Op.ARGMAX]
    assert graph.tensors[graph.outputs[0]].shape == (1, 17, 12, 1)
    inputs = codes(graph, 3)
    expected = run_reference(graph, inputs)[graph.outputs[0]]
    np.testing.assert_array_equal(run_c(graph, inputs, tmp_path), expected)
    exact = resize(size, inputs["x"].astype(np.float64)).argmax(axis=-1)
    assert (expected[..., 0] == exact).mean() > 0.97
