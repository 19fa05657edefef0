"""Dead channels in the flow: the compiled model has none, and the report says what went."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx

import tinyflow
from tests.support.mobilenet import mobilenet
from tests.support.onnx_models import model, node, tensor
from tests.support.random_graphs import random_inputs
from tinyflow.ir import Graph
from tinyflow.ir.serialize import save
from tinyflow.quantize import remove_dead_channels, run_reference


def float_model(folder: Path) -> Path:
    """Of the first layer's eight channels two never rise above zero."""
    bias = np.zeros(8, dtype=np.float32)
    bias[[2, 5]] = -100
    constants = {
        "w0": tensor(0, 8, 3, 3, 3),
        "b0": bias,
        "w1": tensor(1, 8, 1, 3, 3),
        "w2": tensor(2, 4, 8, 1, 1),
    }
    pads = [1, 1, 1, 1]
    nodes = [
        node("Conv", ["x", "w0", "b0"], ["c0"], pads=pads),
        node("Relu", ["c0"], ["r0"]),
        node("Conv", ["r0", "w1"], ["c1"], pads=pads, group=8),
        node("Relu", ["c1"], ["r1"]),
        node("Conv", ["r1", "w2"], ["c2"]),
        node("GlobalAveragePool", ["c2"], ["y"]),
    ]
    path = folder / "dead.onnx"
    onnx.save(model(nodes, {"x": (1, 3, 8, 8)}, ["y"], constants), path)
    np.savez(folder / "data.npz", x=tensor(3, 30, 3, 8, 8))
    return path


def report_of(folder: Path) -> dict:
    return dict(json.loads((folder / "report.json").read_text()))


def test_a_float_model_loses_its_dead_channels(tmp_path: Path) -> None:
    bundle = tinyflow.compile(
        float_model(tmp_path),
        target="host",
        calibration=tmp_path / "data.npz",
        output=tmp_path / "bundle",
    )
    report = report_of(bundle.path)
    # Per pixel: two filters of 27 weights, two of 9, and two inputs of four 1x1 filters.
    assert report["model"]["macs_removed"] == 64 * (2 * 27 + 2 * 9 + 2 * 4)
    assert report["model"]["removed_channels"] == 4
    assert report["model"]["macs"] == 64 * (6 * 27 + 6 * 9 + 6 * 4)
    assert [verdict["bit_exact"] for verdict in report["verify"]] == [True]
    assert [layer["shape"] for layer in report["layers"][:2]] == ["1x8x8x6", "1x8x8x6"]
    # Errors are those of the whole layers.
    assert all(layer["sqnr_db"] > 20 for layer in report["layers"])


def test_an_integer_model_loses_its_dead_channels(tmp_path: Path) -> None:
    graph, _ = mobilenet(seed=2, dead_share=0.5, size=32)
    save(graph, tmp_path / "net.tfq")
    bundle = tinyflow.compile(tmp_path / "net.tfq", target="host", output=tmp_path / "bundle")
    removal = remove_dead_channels(graph)
    report = report_of(bundle.path)
    assert report["model"]["removed_channels"] == removal.channels > 1000
    assert report["model"]["macs_removed"] == removal.macs > 0
    assert report["model"]["macs"] + removal.macs == macs(graph)
    assert [verdict["bit_exact"] for verdict in report["verify"]] == [True]
    inputs = random_inputs(graph, 4)
    expected = run_reference(graph, inputs)
    for name, codes in run_reference(bundle.graph, inputs).items():
        np.testing.assert_array_equal(codes, expected[name])


def macs(graph: Graph) -> int:
    return sum(graph.macs(node) for node in graph.nodes)
