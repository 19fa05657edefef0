"""The demo model is what its description says, and its script makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.support.paths import ROOT

DEMO = ROOT / "tinyflow" / "demo"


def top1(model: Path, data: Path) -> float:
    session = onnxruntime.InferenceSession(model)
    arrays = np.load(data)
    logits = [session.run(None, {"image": x[np.newaxis]})[0] for x in arrays["x"]]
    return 100.0 * float(np.mean(np.concatenate(logits).argmax(axis=1) == arrays["y"]))


def test_batch_normalization_is_kept_and_far_from_trivial() -> None:
    graph = onnx.load(DEMO / "digits.onnx").graph
    values = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    norms = [node for node in graph.node if node.op_type == "BatchNormalization"]
    assert len(norms) == 5
    for node in norms:
        gamma, beta, mean, variance = (values[name] for name in node.input[1:])
        assert gamma.std() > 0.01
        assert np.abs(beta).max() > 0.01
        assert np.abs(mean).max() > 0.01
        assert np.abs(variance - 1.0).max() > 0.1


def test_float_model_reads_the_held_out_digits() -> None:
    assert top1(DEMO / "digits.onnx", DEMO / "digits_test.npz") >= 97.0


def test_held_out_data_are_no_calibration_data() -> None:
    test, calibration = (np.load(DEMO / f"digits_{part}.npz") for part in ("test", "calibration"))
    assert test["x"].shape == (540, 1, 8, 8)
    assert calibration["x"].shape == (200, 1, 8, 8)
    for part in (test, calibration):
        assert part["x"].dtype == np.float32
        assert 0.0 <= part["x"].min() < part["x"].max() <= 1.0
        assert set(part["y"]) == set(range(10))
    assert not {x.tobytes() for x in test["x"]} & {x.tobytes() for x in calibration["x"]}


def test_files_are_small() -> None:
    for path in (*DEMO.glob("*.npz"), *DEMO.glob("*.onnx")):
        assert path.stat().st_size < 100_000


@pytest.mark.slow
def test_training_script_makes_the_model(tmp_path: Path) -> None:
    """A few epochs are enough to learn; the data must be the committed bytes."""
    command = [sys.executable, "-m", "tinyflow.demo.train", "--epochs", "6", "--output", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in ("digits_test.npz", "digits_calibration.npz"):
        made, committed = np.load(tmp_path / name), np.load(DEMO / name)
        for array in ("x", "y"):
            np.testing.assert_array_equal(made[array], committed[array])
    assert top1(tmp_path / "digits.onnx", DEMO / "digits_test.npz") > 90.0
