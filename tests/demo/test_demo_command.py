"""`tinyflow demo` from model to figures, in the emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyflow.cli.main import main


@pytest.mark.slow
def test_demo_measures_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "demo"
    assert main(["demo", "-o", str(bundle)]) == 0
    printed = capsys.readouterr().out
    report = json.loads((bundle / "report.json").read_text())

    accuracy = report["accuracy"]
    assert accuracy["samples"] == 540
    assert accuracy["compiled"]["top1"] >= 97.0
    assert accuracy["agreement"] >= 99.0
    (verdict,) = report["verify"]
    assert verdict["runner"] == "qemu"
    assert verdict["bit_exact"] is True
    # Nothing is left of the five BatchNormalizations and of NCHW; a reshape costs nothing.
    ops = [layer["op"] for layer in report["layers"] if layer["op"] != "RESHAPE"]
    assert sorted(ops) == sorted(
        3 * ["CONV_2D"] + 2 * ["DEPTHWISE_CONV_2D"] + ["MAX_POOL", "MEAN", "FULLY_CONNECTED"]
    )
    memory = report["memory"]
    assert memory["arena_bytes"] == memory["arena_lower_bound_bytes"] <= 4096
    assert memory["flash_bytes"] < 32 * 1024

    assert f"{accuracy['compiled']['top1']:.2f}% top-1" in printed
    assert f"flash        {memory['flash_bytes'] / 1024:.1f} KB" in printed
    assert str(bundle / "report.html") in printed
    assert (bundle / "report.html").is_file()
