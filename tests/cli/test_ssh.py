"""`tinyflow run`, `verify` and `profile` with `--on ssh:`, on a real bundle and a real sshd."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.digits import digits_bundle
from tests.support.sshd import Server, needs_sshd, running_server
from tinyflow.cli.main import main

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(digits_bundle().path, tmp_path_factory.mktemp("ssh") / "digits")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with running_server(tmp_path / "server") as server:
        monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(server.config))
        monkeypatch.setenv("TINYFLOW_SSH_FOLDER", str(server.there))
        yield server
        assert server.left() == []


def test_run_and_verify(
    bundle: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = bundle / "test_vectors"
    inputs, outputs = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(inputs, np.load(vectors / "input_0.npy").transpose(0, 3, 1, 2))
    files = ["--inputs", str(inputs), "--outputs", str(outputs), "--raw"]
    assert main(["run", str(bundle), "--on", "ssh:device", *files]) == 0
    np.testing.assert_array_equal(np.load(outputs), np.load(vectors / "output_0.npy"))
    capsys.readouterr()
    assert main(["verify", str(bundle), "--on", "ssh:device", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["runner"] == "ssh" and verdict["bit_exact"] and verdict["tensors_compared"] > 5
    report = (bundle / "report.json").read_text()
    assert verdict in json.loads(report)["verify"]
    assert "device" not in report


def test_profile(bundle: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", str(bundle), "--on", "ssh:device"]) == 0
    assert "ms at the 95th percentile" in capsys.readouterr().out
    (entry,) = [e for e in report_of(bundle)["latency"] if e["runner"] == "ssh"]
    assert entry["estimated"] is False and entry["cycles"] is None
    assert 0 < entry["least_ms"] <= entry["ms"] <= entry["p95_ms"] < 1000
    assert 10 <= entry["inferences"] <= 200 and entry["warm_up"] >= 1
    assert main(["report", str(bundle)]) == 0
    assert "measured: median of" in capsys.readouterr().out
    page = (bundle / "report.html").read_text()
    assert "measured on" in page and "Cycles are those of a model" not in page


def report_of(bundle: Path) -> dict[str, list[dict[str, object]]]:
    return json.loads((bundle / "report.json").read_text())
