"""`tinyflow profile`: the table, the report and its errors."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.digits import CALIBRATION, MODEL, TEST, digits_bundle
from tinyflow.bundle import json_bytes, read_bundle
from tinyflow.cli.main import main
from tinyflow.cli.profile_command import describe
from tinyflow.pipeline import compile as compile_file
from tinyflow.profile import profile_bundle
from tinyflow.report import read_report
from tinyflow.targets import tools
from tinyflow.targets.profiler import load_timing


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return shutil.copytree(digits_bundle().path, tmp_path / "digits")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["profile", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def retarget(bundle: Path, target: str) -> None:
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["target"]["name"] = target
    path.write_bytes(json_bytes(manifest))


def test_table_and_report(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, bundle)
    assert code == 0
    lines = out.splitlines()
    report = read_report(bundle)
    assert lines[0].split() == [
        "layer", "operation", "MACs", "instructions", "cycles", "cycles/MAC", "share"
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1 : 1 + len(report["layers"])]] == [
        layer["name"] for layer in report["layers"]
    ]
    (latency,) = report["latency"]
    assert f"{latency['cycles']:,}" in out
    assert "nRF5340" in out
    assert "Profiling" in err


def test_report_fields(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, bundle, "--json")
    assert code == 0
    document = json.loads(out)
    report = read_report(bundle)
    assert report["latency"] == [document["latency"]]
    latency = document["latency"]
    assert latency["runner"] == "qemu"
    assert latency["clock_hz"] is None and latency["ms"] is None, "a core has no clock"
    assert latency["cycles_flash"] is None
    assert latency["estimated"] is True
    assert "zero wait states" in latency["calibration"]
    for figure in ("instructions", "cycles"):
        layers = sum(layer[figure] for layer in report["layers"])
        assert layers + document["rest"][figure] == latency[figure]
        assert 0.99 < layers / latency[figure] < 1
    macs = report["model"]["macs"]
    # A multiply-accumulate takes a load and a multiplication at least half of the time.
    assert 0.5 < latency["cycles"] / macs < 20
    heavy = [layer for layer in report["layers"] if layer["macs"]]
    assert all(layer["cycles"] > layer["instructions"] > 0 for layer in heavy)
    assert "Time of one inference" in (bundle / "report.html").read_text()


def test_profiling_again_replaces_the_figures(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, bundle)
    first = read_report(bundle)
    run(capsys, bundle)
    assert read_report(bundle) == first


def test_board_has_a_clock_and_waits_for_flash(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    retarget(bundle, "nucleo-l4r5zi")
    code, out, _ = run(capsys, bundle, "--json")
    assert code == 0
    latency = json.loads(out)["latency"]
    expected = latency["cycles"] + 3.2 * latency["flash_loads"] + 29 * latency["cache_misses"]
    assert latency["cycles_flash"] == round(expected)
    assert latency["clock_hz"] == 120_000_000
    assert latency["ms"] == pytest.approx(latency["cycles_flash"] / 120_000, abs=1e-4)
    assert "7.8% leave-one-out" in latency["calibration"]
    code, out, _ = run(capsys, bundle)
    assert "with flash" in out
    assert "ms at 120 MHz" in out


def test_several_inputs_give_their_mean(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.load(TEST)["x"][:3]
    single = []
    for index in range(3):
        np.save(tmp_path / "one.npy", x[index : index + 1])
        _, out, _ = run(capsys, bundle, "--inputs", tmp_path / "one.npy", "--json")
        single.append(json.loads(out)["latency"]["cycles"])
    np.save(tmp_path / "all.npy", x)
    _, out, _ = run(capsys, bundle, "--inputs", tmp_path / "all.npy", "--json")
    latency = json.loads(out)["latency"]
    assert latency["inputs"] == 3
    assert latency["cycles"] == round(sum(single) / 3)
    assert latency["cycles_most"] == max(single)
    _, out, _ = run(capsys, bundle, "--inputs", tmp_path / "all.npy")
    assert "mean of 3 inputs" in out


def test_many_inputs_in_several_processes_keep_their_order(bundle: Path) -> None:
    opened = read_bundle(bundle)
    (name,) = opened.graph.inputs
    shape = opened.graph.tensors[name].shape[1:]
    x = np.random.default_rng(5).integers(-128, 128, (40, *shape)).astype(np.int8)
    whole = profile_bundle(opened, inputs={name: x})
    assert whole.inputs == 40
    parts = [profile_bundle(opened, inputs={name: x[i : i + 10]}) for i in range(0, 40, 10)]
    mean = sum(part.total.counts.cycles for part in parts) / 4
    assert whole.total.counts.cycles == pytest.approx(mean, abs=1)
    assert whole.most_cycles == max(part.most_cycles for part in parts)


def test_uncalibrated_core_is_called_an_estimate(bundle: Path) -> None:
    profile = profile_bundle(read_bundle(bundle))
    assert "cycles are modelled" in describe(profile)
    assert "cycles are ESTIMATED" in describe(replace(profile, calibrated=False))


@pytest.mark.slow
@pytest.mark.parametrize(
    "core", ["cortex-m0plus", "cortex-m3", "cortex-m33", "cortex-m7", "cortex-m55"]
)
def test_every_core(core: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Compiled code of each core holds no instruction that its model does not know."""
    compile_file(
        MODEL, target=core, calibration=CALIBRATION, output=str(tmp_path / core), run=False
    )
    code, out, err = run(capsys, tmp_path / core, "--json")
    assert code == 0
    assert "not in the core model" not in err
    latency = json.loads(out)["latency"]
    assert latency["calibrated"] == load_timing(core).calibrated
    assert core in latency["calibration"]
    assert 1 <= latency["cycles"] / latency["instructions"] < 2


@pytest.mark.parametrize("runner", ["host", "nowhere"])
def test_runner_that_counts_no_cycles(
    bundle: Path, runner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, bundle, "--on", runner)
    assert code == 2
    assert f"'{runner}' counts no cycles" in err


def test_target_that_is_not_emulated(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    retarget(bundle, "host")
    code, _, err = run(capsys, bundle)
    assert code == 2
    assert "'host', which is not emulated" in err


@pytest.mark.parametrize("missing", ["qemu-system-arm", "gcc", "arm-none-eabi-nm"])
def test_missing_tool(
    bundle: Path,
    missing: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    which = shutil.which
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools.shutil, "which", lambda n: None if n == missing else which(n))
    before = read_report(bundle)
    code, _, err = run(capsys, bundle)
    assert code == 1
    assert f"needs {missing}, which is not installed" in err
    assert read_report(bundle) == before


def test_bundle_without_functions(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report: dict[str, Any] = read_report(bundle)
    for layer in report["layers"]:
        layer.pop("function")
    (bundle / "report.json").write_bytes(json_bytes(report))
    code, _, err = run(capsys, bundle)
    assert code == 1
    assert "compile the model again" in err


def test_wrong_inputs(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 3)))
    code, _, err = run(capsys, bundle, "--inputs", tmp_path / "x.npy")
    assert code == 1
    assert "error: " in err
