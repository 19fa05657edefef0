"""`tinyflow quantize --tflite`: the file, its entry in the report, and what people read of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from tests.support.digits import CALIBRATION, MODEL, TEST
from tests.support.random_graphs import random_graph, random_inputs
from tinyflow.cli.main import main
from tinyflow.data import DataOptions, input_specs, load_data
from tinyflow.ir import Op, Rounding
from tinyflow.ir.serialize import from_bytes, to_bytes
from tinyflow.quantize import run_reference
from tinyflow.targets.tflite_micro import open_interpreter


def quantize(folder: Path, model: str | Path, *arguments: str) -> dict[str, Any]:
    """The report's entry."""
    assert main(["quantize", str(model), "-o", str(folder), *arguments]) == 0
    return dict(json.loads((folder / "report.json").read_text())["tflite"])


def stored(folder: Path, graph_of: tuple[Op, ...], rounding: Rounding = Rounding.DOUBLE) -> Path:
    """A quantized model of some kinds of layers."""
    path = folder / "net.tfq"
    path.write_bytes(to_bytes(random_graph(4, graph_of, 3, rounding)))
    return path


def test_digits_in_tflite_micro_are_the_references(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "digits"
    entry = quantize(folder, MODEL, "--calibration", CALIBRATION, "--tflite")
    data = (folder / "model.tflite").read_bytes()
    assert entry == {
        "file": "model.tflite",
        "bytes": len(data),
        "operators": entry["operators"],
        "custom": [],
        "lowered": 0,
        "costs": None,
    }
    assert "CONV_2D" in entry["operators"]
    assert "model.tflite" in capsys.readouterr().out
    assert "All are builtin" in (folder / "report.html").read_text()

    graph = from_bytes((folder / "model.tfq").read_bytes(), "model.tfq")
    (name,) = graph.inputs
    codes = load_data(f"{TEST}[:200]", input_specs(graph), DataOptions()).codes(graph)[name]
    expected = run_reference(graph, {name: codes})[graph.outputs[0]]
    runner = open_interpreter(data)
    for sample, wanted in zip(codes, expected, strict=True):
        runner.set_input(sample[np.newaxis], 0)
        runner.invoke()
        np.testing.assert_array_equal(runner.get_output(0)[0], wanted)
    assert len(codes) == 200


def test_custom_operators_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = quantize(tmp_path / "net", stored(tmp_path, (Op.LAYER_NORM, Op.EXP)), "--tflite")
    assert entry["custom"]
    assert entry["costs"] is None
    assert entry["custom"][0] in capsys.readouterr().out
    assert "custom operators of TinyFlow" in (tmp_path / "net" / "report.html").read_text()


def test_builtins_cost_what_the_report_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = stored(tmp_path, (Op.LAYER_NORM, Op.GELU))
    entry = quantize(tmp_path / "net", model, "--tflite-builtins")
    assert entry["custom"] == []
    assert entry["lowered"] == len(entry["costs"]["layers"]) > 0
    for cost in (*entry["costs"]["layers"], *entry["costs"]["outputs"]):
        assert cost["equal"] or cost["sqnr_db"] > 10
    assert "lowering" in capsys.readouterr().out
    page = (tmp_path / "net" / "report.html").read_text()
    assert "What the lowering costs" in page


def test_scales_follow_from_data_that_a_quantized_model_does_not_need(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = stored(tmp_path, (Op.LAYER_NORM,))
    graph = from_bytes(model.read_bytes(), "net.tfq")
    codes = random_inputs(graph, 5, seed=3)
    np.savez(tmp_path / "data.npz", **codes)
    quantize(tmp_path / "random", model, "--tflite-builtins")
    assert "follow from random inputs" in capsys.readouterr().err
    data = ("--calibration", str(tmp_path / "data.npz"))
    entry = quantize(tmp_path / "given", model, "--tflite-builtins", *data)
    assert entry["costs"]["samples"] == 5
    assert "random" not in capsys.readouterr().err
    files = [(tmp_path / name / "model.tflite").read_bytes() for name in ("random", "given")]
    assert files[0] != files[1]
    quantize(tmp_path / "exact", model, "--tflite", *data)
    assert "calibration data are not used" in capsys.readouterr().err


def test_without_the_wheel_the_cost_is_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    def absent(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr("tinyflow.verify.engines.metadata.version", absent)
    model = stored(tmp_path, (Op.EXP,))
    entry = quantize(tmp_path / "net", model, "--tflite-builtins")
    assert entry["lowered"] > 0
    assert entry["costs"] is None
    assert "was not measured" in capsys.readouterr().err


def test_a_cost_is_not_measured_in_a_runtime_that_rounds_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = stored(tmp_path, (Op.LAYER_NORM,), Rounding.SINGLE)
    entry = quantize(tmp_path / "net", model, "--tflite-builtins")
    assert entry["lowered"] > 0
    assert entry["costs"] is None
    assert "was not measured" in capsys.readouterr().err


def test_the_switch_stands_in_the_project_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, (Op.EXP,))
    (tmp_path / "tinyflow.toml").write_text('model = "net.tfq"\ntflite-builtins = true\n')
    monkeypatch.chdir(tmp_path)
    assert main(["quantize", "-o", "net"]) == 0
    assert (tmp_path / "net" / "model.tflite").is_file()
    (tmp_path / "tinyflow.toml").write_text('model = "net.tfq"\ntflite-builtins = "yes"\n')
    assert main(["quantize", "-o", "net"]) == 2
