"""The whole flow: what a bundle holds, that it is the same twice, and what a report says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tinyflow
from tests.support.digits import CALIBRATION, MODEL, TEST, digits_bundle
from tests.support.paths import ROOT, SHARED, shared
from tinyflow.bundle import Bundle
from tinyflow.cli.main import main
from tinyflow.pipeline.source import name_from

REPORT_KEYS = {"schema_version", "model", "target", "accuracy", "layers", "memory", "latency",
               "verify"}  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def report_of(folder: Path) -> dict:
    return dict(json.loads((folder / "report.json").read_text()))


def test_a_bundle_holds_what_the_design_says() -> None:
    bundle = digits_bundle()
    inside = set(contents(bundle.path))
    assert {
        "include/digits.h",
        "src/digits.c",
        "src/digits_weights.c",
        "kernels/tinyflow.h",
        "CMakeLists.txt",
        "model.tfq",
        "manifest.json",
        "report.json",
        "report.html",
        "test_vectors/input_0.npy",
        "build/digits.elf",
    } <= inside
    assert isinstance(bundle, Bundle)
    assert bundle.graph.is_quantized
    files = bundle.manifest["files"]
    assert set(files) == inside - {"manifest.json", "report.json", "report.html"}


def test_a_report_holds_what_the_design_says() -> None:
    report = report_of(digits_bundle().path)
    assert set(report) >= REPORT_KEYS
    assert report["schema_version"] == 1
    assert set(report["model"]) >= {"name", "sha256", "parameters", "macs"}
    assert report["target"] == {
        "name": "cortex-m4",
        "core": "cortex-m4",
        "backend": "c",
        "precision": "int8",
    }
    accuracy = report["accuracy"]
    assert accuracy["samples"] == 50
    assert accuracy["runner"] == "reference"
    assert accuracy["compiled"]["top1"] > 90
    assert accuracy["agreement"] > 90
    assert [s["stage"] for s in accuracy["waterfall"]] == [
        "float model",
        "after passes",
        "int8 reference",
    ]
    memory = report["memory"]
    assert memory["arena_bytes"] >= memory["arena_lower_bound_bytes"] > 0
    parts = memory["weight_bytes"] + memory["table_bytes"] + memory["code_bytes"]
    assert parts == memory["flash_bytes"]
    assert memory["stack_bytes"] is None
    assert report["latency"] == []
    keys = {"name", "op", "source", "macs", "bits", "sqnr_db", "cosine", "saturation", "cycles",
            "instructions", "arena_bytes", "weight_bytes"}  # fmt: skip
    for layer in report["layers"]:
        assert set(layer) >= keys
        assert layer["cycles"] is None
        assert layer["sqnr_db"] > 15
    assert sum(layer["weight_bytes"] for layer in report["layers"]) == memory["weight_bytes"]
    assert max(layer["arena_bytes"] for layer in report["layers"]) == memory["arena_bytes"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = digits_bundle()
    again = tinyflow.compile(
        MODEL,
        target="cortex-m4",
        calibration=CALIBRATION,
        test_data=f"{TEST}[:50]",
        output=tmp_path / "elsewhere" / "again",
        run=False,
    )
    assert contents(again.path) == contents(first.path)


def test_nothing_in_a_bundle_tells_of_this_machine() -> None:
    for name, data in contents(digits_bundle().path).items():
        for secret in (str(ROOT), str(Path.home() / "."), "/tmp/"):
            assert secret.encode() not in data, f"{name} holds {secret}"
        if name.endswith((".json", ".html", ".c", ".h")):
            assert not re.search(rb"\b20[2-9]\d-[01]\d-[0-3]\d\b", data), f"{name} holds a date"


def test_a_project_folder_needs_no_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tinyflow.toml").write_text(
        f'model = "{MODEL}"\ntarget = "cortex-m7"\ncalibration = "random"\noptimize = "size"\n'
        f'name = "mine"\n'
    )
    more = ["--no-build", "--target", "cortex-m4", "--json"]
    assert main(["compile", *more]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == report_of(tmp_path / "mine-cortex-m4")
    assert report["options"]["optimize"] == "size"
    assert report["calibration"]["random"] is True
    assert all(layer["sqnr_db"] is None for layer in report["layers"])
    page = (tmp_path / "mine-cortex-m4" / "report.html").read_text()
    assert "Calibrated on random numbers" in page


def test_quantize_then_compile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "q"
    data = ["--calibration", CALIBRATION, "--test-data", f"{TEST}[:50]"]
    assert main(["quantize", str(MODEL), "-o", str(folder), *data]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert set(contents(folder)) == {"model.tfq", "manifest.json", "report.json", "report.html"}
    quantized = report_of(folder)
    assert quantized["target"]["name"] is None
    assert quantized["accuracy"] == report_of(digits_bundle().path)["accuracy"]
    output = tmp_path / "b"
    options = ["--target", "cortex-m4", "--no-build", "-o", str(output)]
    assert main(["compile", str(folder / "model.tfq"), "--name", "digits", *options]) == 0
    ours, direct = contents(output), contents(digits_bundle().path)
    assert (
        ours["src/digits_weights.c"].split(b"*/", 1)[1]
        == (direct["src/digits_weights.c"].split(b"*/", 1)[1])
    )
    assert main(["verify", str(folder), "--on", "host"]) == 1
    assert "compile" in capsys.readouterr().err


def test_check_says_yes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(MODEL), "--target", "cortex-m4", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["passed"]
    memory = report_of(digits_bundle().path)["memory"]
    assert verdict["arena_bytes"] == memory["arena_bytes"]


def test_names_are_made_from_files() -> None:
    assert name_from("kws_ref") == "kws_ref"
    assert name_from("my net-v2.1") == "my_net_v2_1"
    assert name_from("3d") == "model_3d"
    assert name_from("string") == "model_string"
    assert name_from("TinyFlow") == "model_TinyFlow"
    assert name_from("-") == "net"


def test_names_that_are_taken_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(MODEL), "--target", "cortex-m4", "--name", "stdint"]) == 2
    assert "taken" in capsys.readouterr().err


KWS = "mlperf_tiny/kws_ref_model"


@pytest.mark.slow
def test_keyword_spotting_from_int8(tmp_path: Path) -> None:
    """Every byte of the emulated outputs on all inputs equals the reference, or compile fails."""
    bundle = tinyflow.compile(
        shared(f"{KWS}.tflite"),
        target="cortex-m4",
        test_data=shared("kws01/samples.npz"),
        output=tmp_path / "b",
    )
    report = report_of(bundle.path)
    assert report["accuracy"]["compiled"]["top1"] == pytest.approx(90.1)
    assert report["accuracy"]["runner"] == "qemu"
    assert report["accuracy"]["float"]["top1"] is None
    assert report["verify"][0]["bit_exact"]
    assert report["memory"]["arena_bytes"] <= 16.5 * 1024


@pytest.mark.slow
def test_keyword_spotting_from_float(tmp_path: Path) -> None:
    scale, zero = 0.5847029089927673, 83
    bundle = tinyflow.compile(
        shared(f"{KWS}_float32.tflite"),
        target="cortex-m4",
        calibration=f"{shared('kws01/samples.npz')}[:100]",
        test_data=shared("kws01/samples.npz"),
        output=tmp_path / "b",
        x_scale=scale,
        x_zero_point=zero,
        max_drop=1.0,
        max_ram=24 * 1024,
    )
    accuracy = report_of(bundle.path)["accuracy"]
    assert accuracy["compiled"]["top1"] >= 90.2
    assert accuracy["agreement"] >= 98.3
    assert accuracy["samples"] == 1000
    assert str(SHARED) not in json.dumps(report_of(bundle.path))
    x = np.load(shared("kws01/samples.npz"))["x"]
    np.save(tmp_path / "x.npy", x[:5])
    files = ["--inputs", str(tmp_path / "x.npy"), "--outputs", str(tmp_path / "y.npy")]
    assert main(["run", str(bundle.path), "--on", "host", *files]) == 0
    assert np.load(tmp_path / "y.npy").shape == (5, 12)
