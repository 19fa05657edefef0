"""--backend tflm --tflite-builtins: a project without custom operators, and what it computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

import tinyflow
from tests.support.graphs import GraphBuilder
from tinyflow.bundle import Bundle
from tinyflow.cli.main import main
from tinyflow.errors import UsageError
from tinyflow.ir import DType, Op, QuantParams, Rounding
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.ir.serialize import to_bytes
from tinyflow.quantize import run_reference
from tinyflow.quantize.attach import attach_integers
from tinyflow.report import read_report, summarize
from tinyflow.targets.build_tflite_micro import DIRECTORY
from tinyflow.targets.tflite_micro import open_interpreter
from tinyflow.verify.expected import LOWERED, expected_by, expected_outputs, expected_tensors

CLASSES, SAMPLES = 10, 40


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DIRECTORY, raising=False)


def stored(folder: Path, rounding: Rounding = Rounding.DOUBLE) -> Path:
    """A quantized classifier: what is exact stands before, between and behind what is lowered."""
    b = GraphBuilder(seed=5)
    quant = QuantParams.per_tensor(0.04, 2)
    x = b.node(Op.TANH, [b.input("x", (1, CLASSES), DType.INT8, quant)], name="before",
               quant=QuantParams.per_tensor(1 / 128, 0))  # fmt: skip
    gamma = b.constant("gamma", b.rng.uniform(0.5, 2, CLASSES).astype(np.float32))
    y = b.node(Op.LAYER_NORM, [x, gamma], LayerNormAttrs(), "norm", quant)
    y = b.node(Op.HARD_SWISH, [y], name="between", quant=quant)
    y = b.node(Op.GELU, [y], name="gelu", quant=quant)
    graph = b.build(b.node(Op.ADD, [y, y], name="behind", quant=QuantParams.per_tensor(0.07, 0)))
    path = folder / "net.tfq"
    path.write_bytes(to_bytes(attach_integers(graph, rounding)))
    return path


def data(folder: Path) -> Path:
    """Labelled inputs that reach all over the range."""
    generator = np.random.default_rng(4)
    reals = generator.normal(0, 2, (SAMPLES, CLASSES)).astype(np.float32)
    path = folder / "data.npz"
    np.savez(path, x=reals, y=reals.argmax(axis=1))
    return path


def compile_lowered(folder: Path, **options: Any) -> Bundle:
    values: dict[str, Any] = {
        "target": "cortex-m4",
        "backend": "tflm",
        "tflite_builtins": True,
        **options,
    }
    return tinyflow.compile(stored(folder), output=folder / "bundle", **values)


def in_the_wheel(bundle: Bundle, inputs: np.ndarray) -> np.ndarray:
    runner = open_interpreter(bundle.read("model.tflite"))
    outputs = []
    for codes in inputs:
        runner.set_input(codes[np.newaxis], 0)
        runner.invoke()
        outputs.append(np.array(runner.get_output(0)))
    return np.concatenate(outputs)


def test_a_project_without_custom_operators(tmp_path: Path) -> None:
    bundle = compile_lowered(tmp_path, calibration=data(tmp_path))
    graph = bundle.graph
    assert bundle.is_lowered
    assert "src/tinyflow_operators.cc" not in bundle.manifest["files"]
    source = (bundle.path / "src/net.cc").read_text()
    assert "AddCustom" not in source
    assert "--backend tflm --tflite-builtins" in source
    assert {"ai-edge-litert", "flatbuffers", "tflite-micro"} <= set(bundle.manifest["packages"])
    assert bundle.manifest["options"]["operators of TFLite"] == "builtin only"
    inputs = np.load(bundle.path / "test_vectors/input_0.npy")
    outputs = np.load(bundle.path / "test_vectors/output_0.npy")
    np.testing.assert_array_equal(outputs, in_the_wheel(bundle, inputs))
    reference = run_reference(graph, {graph.inputs[0]: inputs})[graph.outputs[0]]
    assert (outputs != reference).any()
    assert np.abs(outputs.astype(int) - reference).max() <= 12

    report = read_report(bundle.path)
    entry = bundle.manifest["tflite"]
    assert entry == report["tflite"]
    assert (entry["custom"], entry["lowered"]) == ([], 2)
    assert [cost["op"] for cost in entry["costs"]["layers"]] == ["LAYER_NORM", "GELU"]
    assert all(cost["sqnr_db"] > 15 for cost in entry["costs"]["outputs"])
    kernels = {layer["name"]: layer["kernel"] for layer in report["layers"]}
    assert [name for name, kernel in kernels.items() if kernel == "lowered"] == ["norm", "gelu"]
    (verdict,) = report["verify"]
    assert verdict["bit_exact"]
    assert verdict["tensors_compared"] == len(graph.nodes) - 2
    assert "lowered layers left out: 2" in verdict["note"]
    assert "lowered layers left out: 2" in summarize(report, bundle.path)
    page = (bundle.path / "report.html").read_text()
    assert "lowered layers left out: 2" in page
    assert "What the lowering costs" in page


def test_the_lowered_file_is_what_runners_are_held_to(tmp_path: Path) -> None:
    bundle = compile_lowered(tmp_path, calibration=data(tmp_path))
    graph = bundle.graph
    inputs = {graph.inputs[0]: np.load(bundle.path / "test_vectors/input_0.npy")}
    assert expected_by(bundle) == LOWERED
    tensors, reference = expected_tensors(bundle, inputs), dict[str, np.ndarray]()
    run_reference(graph, inputs, reference.__setitem__)
    equal = {n.name: np.array_equal(tensors[n.output], reference[n.output]) for n in graph.nodes}
    assert equal["before"]
    assert not equal["gelu"]
    (output,) = graph.outputs
    np.testing.assert_array_equal(expected_outputs(bundle, inputs)[output], tensors[output])


def test_accuracy_is_that_of_the_lowered_file(tmp_path: Path) -> None:
    test = data(tmp_path)
    bundle = compile_lowered(tmp_path, calibration=test, test_data=test)
    accuracy = read_report(bundle.path)["accuracy"]
    assert accuracy["runner"] == "tflite-micro"
    assert [step["stage"] for step in accuracy["waterfall"]][-1] == "lowered, tflite-micro"
    with np.load(test) as arrays:
        tensor = bundle.graph.tensors[bundle.graph.inputs[0]]
        codes, labels = tensor.params.quantize(arrays["x"], tensor.dtype), arrays["y"]
    right = in_the_wheel(bundle, codes.astype(np.int8)).argmax(axis=1) == labels
    assert accuracy["compiled"]["top1"] == pytest.approx(100 * right.mean())
    assert "TFLite Micro" in (bundle.path / "report.html").read_text()


def test_the_ladder_says_what_it_cannot_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_lowered(tmp_path, calibration=data(tmp_path))
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "bundle"), "--ladder"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    for runner in ("host", "qemu"):
        assert "not run" in lines[runner]
        assert "needs its sources" in lines[runner]
        assert LOWERED in lines[runner]
    assert " equal " in lines["tflite-micro"]


def test_single_rounding_is_refused(tmp_path: Path) -> None:
    model = stored(tmp_path, Rounding.SINGLE)
    with pytest.raises(UsageError, match="rounds twice"):
        tinyflow.compile(model, target="cortex-m4", backend="tflm", tflite_builtins=True,
                         output=tmp_path / "bundle")  # fmt: skip
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("backend", "option", "sentence"),
    [
        ("c", "tflite_builtins", "--tflite-builtins is about the .tflite file of --backend tflm"),
        ("tvm", "tflite_builtins", "--tflite-builtins is about the .tflite file"),
        ("c", "tflite", "a .tflite file comes with --backend tflm"),
        ("tflm", "autotune", "--autotune chooses among the kernels of --backend c"),
    ],
)
def test_an_option_without_an_effect_is_refused(
    tmp_path: Path, backend: str, option: str, sentence: str
) -> None:
    with pytest.raises(UsageError, match=f"{sentence}.*this is --backend {backend}") as caught:
        given: dict[str, Any] = {"backend": backend, option: True}
        tinyflow.compile(tmp_path / "absent.tfq", target="cortex-m4", **given)
    assert f"leave {option.replace('_', '-')} out" in caught.value.hint


def test_the_project_file_may_say_it_for_quantize(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path)
    (tmp_path / "tinyflow.toml").write_text('model = "net.tfq"\ntflite-builtins = true\n')
    monkeypatch.chdir(tmp_path)
    arguments = ["compile", "--target", "cortex-m4", "--no-build"]
    assert main([*arguments, "-o", "c"]) == 0
    assert main([*arguments, "-o", "tflm", "--backend", "tflm"]) == 0
    assert "lowering" in capsys.readouterr().out
    assert main([*arguments, "-o", "refused", "--tflite-builtins"]) == 2
    assert "this is --backend c" in capsys.readouterr().err
