"""--backend tflm: what its bundles hold and say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

import tinyflow
from tests.support.digits import CALIBRATION, MODEL
from tinyflow.bundle import Bundle
from tinyflow.errors import MissingExtraError, ModelError
from tinyflow.progress import Progress
from tinyflow.report import read_report, summarize
from tinyflow.targets import tflite_micro
from tinyflow.targets.build_tflite_micro import DIRECTORY


class Notes(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def compile_digits(folder: Path, progress: Progress | None = None, **options: object) -> Bundle:
    values = {"target": "cortex-m4", "calibration": CALIBRATION, **options}
    return tinyflow.compile(
        MODEL, output=folder, backend="tflm", progress=progress or Notes(), **values
    )


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DIRECTORY, raising=False)


def test_a_bundle_for_tflite_micro(tmp_path: Path) -> None:
    progress = Notes()
    bundle = compile_digits(tmp_path / "digits", progress)
    files = set(bundle.manifest["files"])
    assert {
        "CMakeLists.txt",
        "cmake/cmsis_nn.cmake",
        "cmake/tflite_micro.cmake",
        "app/self_test.c",
        "board/mps2-an386/toolchain.cmake",
        "include/digits.h",
        "model.tflite",
        "src/digits.cc",
        "src/digits_model.c",
        "test_vectors/test_vectors.h",
    } <= files
    assert bundle.read("model.tflite") == bundle.read("src/digits.tflite")
    assert bundle.manifest["target"]["backend"] == "tflm"
    assert "--backend tflm" in (bundle.path / "src/digits.cc").read_text()
    (note,) = [note for note in progress.notes if "C++" in note]
    assert DIRECTORY in note

    report = read_report(bundle.path)
    memory = report["memory"]
    assert memory["weight_bytes"] + memory["table_bytes"] == len(bundle.read("model.tflite"))
    header = (bundle.path / "include/digits.h").read_text()
    assert f"#define DIGITS_ARENA_SIZE {memory['arena_bytes']}u" in header
    (verdict,) = report["verify"]
    assert verdict["runner"] == "tflite-micro"
    assert verdict["bit_exact"]
    assert verdict["tensors_compared"] == len(bundle.graph.nodes)
    assert {layer["kernel"] for layer in report["layers"]} == {"builtin"}
    assert "tflite-micro" in summarize(report, bundle.path)


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (compile_digits(tmp_path / name).manifest["files"] for name in "ab")
    assert first == second


def test_a_model_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyflow.pipeline.backends import tflm

    def refuse(arena_bytes: int, constant_bytes: int, target: object) -> None:
        raise ModelError(f"{arena_bytes} and {constant_bytes}")

    monkeypatch.setattr(tflm, "check_room", refuse)
    with pytest.raises(ModelError, match=r"\d{4,} and \d{4,}"):
        compile_digits(tmp_path / "digits")
    assert not (tmp_path / "digits").exists()


def test_a_model_of_exact_builtins_is_as_without_the_switch(tmp_path: Path) -> None:
    plain = compile_digits(tmp_path / "plain")
    builtins = compile_digits(tmp_path / "builtins", tflite_builtins=True, rounding="double")
    assert not builtins.is_lowered
    assert builtins.read("model.tflite") == plain.read("model.tflite")


def test_single_rounding_is_not_compared_with_the_package(tmp_path: Path) -> None:
    progress = Notes()
    bundle = compile_digits(tmp_path / "digits", progress, rounding="single")
    assert any("rounds twice" in note for note in progress.notes)
    assert read_report(bundle.path)["verify"] == []
    assert "TFLITE_SINGLE_ROUNDING=1" in (bundle.path / "CMakeLists.txt").read_text()


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    with pytest.raises(MissingExtraError, match="TensorFlow Lite Micro") as caught:
        tflite_micro.least_arenas(b"")
    assert "tinyflow[tflite]" in caught.value.hint


def test_building_without_sources_says_what_is_needed(tmp_path: Path) -> None:
    from tinyflow.errors import ToolError
    from tinyflow.targets.runners import get_runner

    bundle = compile_digits(tmp_path / "digits", target="host")
    codes = {name: np.zeros((1, *bundle.graph.tensors[name].shape[1:]), np.int8)
             for name in bundle.graph.inputs}  # fmt: skip
    with pytest.raises(ToolError, match="needs its sources") as caught:
        get_runner("host").run(bundle, codes)
    assert DIRECTORY in caught.value.hint
