"""Bad input gets a sentence and exit code 1, and leaves nothing half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.digits import CALIBRATION, MODEL
from tests.support.paths import shared
from tinyflow.cli.main import main

TARGET = ["--target", "cortex-m4", "--no-build"]


def small_model(
    path: Path,
    weight: float = 0.5,
    batch: int | str = 1,
    extra: tuple[str, ...] = (),
) -> Path:
    """Conv and ReLU on [1, 2, 4, 4]; ``extra`` operators follow one another after that."""
    kernel = np.full((3, 2, 3, 3), weight, dtype=np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="first", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r0"], name="second"),
    ]
    for index, op in enumerate(extra):
        nodes.append(
            helper.make_node(op, [f"r{index}"], [f"r{index + 1}"], name=f"odd_{index}_{op}")
        )
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 2, 4, 4])],
        [helper.make_tensor_value_info(f"r{len(extra)}", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def refuse(arguments: list[str | Path], capsys: pytest.CaptureFixture[str], code: int = 1) -> str:
    """Runs a command that must fail with a sentence; returns stderr."""
    assert main([str(a) for a in arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: " in err
    assert "Traceback" not in err
    return err


def compile_small(
    model: Path, output: Path, capsys: pytest.CaptureFixture[str], *more: str, code: int = 1
) -> str:
    data = [] if "--calibration" in more else ["--calibration", "random"]
    err = refuse(["compile", model, *TARGET, *data, "-o", output, *more], capsys, code)
    assert not output.exists()
    assert not list(output.parent.glob(".*")), "something half-written remains"
    return err


@pytest.mark.parametrize("suffix", [".onnx", ".tflite", ".tfq"])
@pytest.mark.parametrize("size", [0, 7, 4000])
def test_random_bytes(
    suffix: str, size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / f"noise{suffix}"
    model.write_bytes(np.random.default_rng(size).bytes(size))
    assert f"noise{suffix}" in compile_small(model, tmp_path / "out" / "b", capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated_models(share: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tflite = shared("mlperf_tiny/kws_ref_model_float32.tflite")
    for source in (MODEL, tflite):
        data = source.read_bytes()
        model = tmp_path / f"cut{source.suffix}"
        model.write_bytes(data[: int(len(data) * share)])
        assert model.name in compile_small(model, tmp_path / "b", capsys)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(
    value: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_model(tmp_path / "m.onnx", weight=value)
    err = compile_small(model, tmp_path / "b", capsys)
    assert "NaN" in err or "infinite" in err


def test_open_shapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = onnx.load_model_from_string(small_model(tmp_path / "m.onnx").read_bytes())
    graph.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    model = tmp_path / "open.onnx"
    model.write_bytes(graph.SerializeToString())
    err = compile_small(model, tmp_path / "b", capsys)
    assert "'x'" in err
    assert "--shape" in err
    data = ["--calibration", "random", "--shape", "x=1x2x6x4"]
    assert main(["compile", str(model), *TARGET, *data, "-o", str(tmp_path / "b")]) == 0


def test_every_unsupported_layer_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_model(tmp_path / "m.onnx", extra=("Bernoulli", "Det", "RandomNormalLike"))
    err = compile_small(model, tmp_path / "b", capsys)
    for name in ("odd_0_Bernoulli", "odd_1_Det", "odd_2_RandomNormalLike"):
        assert name in err
    assert main(["check", str(model), "--target", "cortex-m4"]) == 1
    out = capsys.readouterr().out
    assert "3 obstacles" in out
    assert "odd_2_RandomNormalLike" in out


def test_absent_and_unknown_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no model file" in compile_small(tmp_path / "a.onnx", tmp_path / "b", capsys)
    (tmp_path / "m.pt").write_bytes(b"")
    assert ".pt" in compile_small(tmp_path / "m.pt", tmp_path / "b", capsys, code=2)


def test_calibration_data_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_model(tmp_path / "m.onnx")
    cases = {
        "shape": (np.zeros((5, 4, 4, 2), np.float32), "[n, 2, 4, 4]"),
        "empty": (np.zeros((0, 2, 4, 4), np.float32), "holds no inputs"),
        "kind": (np.zeros((5, 2, 4, 4), np.int8), "x_scale"),
        "nan": (np.full((5, 2, 4, 4), np.nan, np.float32), "NaN"),
    }
    for name, (x, message) in cases.items():
        np.savez(tmp_path / f"{name}.npz", x=x)
        file = str(tmp_path / f"{name}.npz")
        assert message in compile_small(model, tmp_path / "b", capsys, "--calibration", file)
    absent = str(tmp_path / "absent.npz")
    assert "no data file" in compile_small(model, tmp_path / "b", capsys, "--calibration", absent)


def test_a_float_model_without_calibration_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_model(tmp_path / "m.onnx")
    output = tmp_path / "b"
    err = refuse(["compile", model, *TARGET, "-o", output], capsys, code=2)
    assert "calibration data" in err
    assert "--calibration random" in err
    assert not output.exists()


def test_labels_beyond_the_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.zeros((5, 1, 8, 8), np.float32)
    np.savez(tmp_path / "t.npz", x=x, y=np.full(5, 10))
    data = ["--calibration", CALIBRATION, "--test-data", str(tmp_path / "t.npz")]
    err = compile_small(MODEL, tmp_path / "b", capsys, *data)
    assert "the model has 10 outputs" in err


def test_places_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = small_model(tmp_path / "m.onnx")
    common = ["compile", model, *TARGET, "--calibration", "random", "-o"]
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refuse([*common, tmp_path / "file"], capsys)
    err = refuse([*common, tmp_path / "file" / "below"], capsys)
    assert "lies below" in err
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("mine")
    assert "other things than a bundle" in refuse([*common, tmp_path / "folder"], capsys)
    assert (tmp_path / "file").read_text() == "mine"
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["thesis.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder", "m.onnx"]


def test_an_old_bundle_stays_until_the_new_one_is_complete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, output = small_model(tmp_path / "m.onnx"), tmp_path / "b"
    common = ["compile", str(model), *TARGET, "--calibration", "random", "-o", str(output)]
    assert main(common) == 0
    capsys.readouterr()
    before = {p: p.read_bytes() for p in output.rglob("*") if p.is_file()}
    small_model(model, weight=np.nan)
    refuse(list(common), capsys)
    assert {p: p.read_bytes() for p in output.rglob("*") if p.is_file()} == before
    small_model(model, weight=0.25)
    assert main(common) == 0
    assert (output / "model.tfq").read_bytes() != before[output / "model.tfq"]


def test_missing_tools(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, output = small_model(tmp_path / "m.onnx"), tmp_path / "b"
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    common = ["compile", str(model), "--target", "cortex-m4", "--calibration", "random", "-o"]
    err = refuse([*common, output, "--max-ram", "64KB"], capsys)
    assert "--max-ram cannot be checked" in err
    assert not output.exists()
    assert main([*common, str(output)]) == 0
    assert "note: arm-none-eabi-gcc is not installed" in capsys.readouterr().err
    assert not (output / "build").exists()
    for runner in ("qemu", "host"):
        err = refuse(["verify", output, "--on", runner], capsys)
        assert "gcc, which is not installed" in err
        assert "apt-get install" in err


def test_gates_close_with_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, output = small_model(tmp_path / "m.onnx"), tmp_path / "b"
    common = ["compile", model, "--target", "cortex-m4", "--calibration", "random", "--no-run"]
    limits = ["--max-ram", "20", "--max-flash", "100"]
    err = refuse([*common, "-o", output, *limits], capsys, code=3)
    assert "RAM:" in err
    assert "flash:" in err
    assert not output.exists()
    enough = ["--max-ram", "64KB", "--max-flash", "64KB"]
    assert main([str(a) for a in [*common, "-o", output, *enough]]) == 0
    capsys.readouterr()
    err = refuse([*common, "-o", tmp_path / "c", "--max-drop", "1"], capsys, code=2)
    assert "--test-data" in err


def test_the_accuracy_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels of random noise are its float answers, so that any difference is a drop."""
    from tinyflow.importers import load_model
    from tinyflow.ir import execute

    x = np.random.default_rng(0).normal(size=(300, 1, 8, 8)).astype(np.float32)
    graph = load_model(MODEL)
    y = execute(graph, {graph.inputs[0]: x})[graph.outputs[0]].argmax(axis=1)
    np.savez(tmp_path / "t.npz", x=x, y=y)
    data = ["--calibration", CALIBRATION, "--test-data", str(tmp_path / "t.npz")]
    more = [*data, "--max-drop", "0.1"]
    err = compile_small(MODEL, tmp_path / "b", capsys, *more, code=3)
    assert "accuracy: a drop of" in err


def test_what_is_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["verify", tmp_path / "absent"],
        ["verify", tmp_path],
        ["run", tmp_path, "--inputs", "x.npy", "--outputs", "y.npy"],
        ["report", tmp_path],
    ):
        assert str(tmp_path) in refuse(command, capsys)
