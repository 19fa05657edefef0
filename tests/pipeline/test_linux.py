"""Compiling for the CPU cores of a Jetson, and what is refused there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.digits import CALIBRATION, MODEL, TEST
from tests.support.linux_arm import needs_linux_arm
from tinyflow.cli.main import main
from tinyflow.errors import UsageError
from tinyflow.pipeline import compile as compile_file
from tinyflow.pipeline.backends import BACKENDS
from tinyflow.pipeline.backends.choice import choose_backend
from tinyflow.targets import list_targets, load_target

OPTIONS = ("--calibration", str(CALIBRATION))


@needs_linux_arm
def test_digits_are_equal_in_the_emulator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "b")
    jetson = ["--target", "jetson-nano", "--backend", "c", "--test-data", f"{TEST}[:20]"]
    assert main(["compile", str(MODEL), *jetson, *OPTIONS, "-o", place]) == 0
    capsys.readouterr()
    report = json.loads((tmp_path / "b" / "report.json").read_text())
    assert report["target"] == {
        "name": "jetson-nano",
        "core": "cortex-a57",
        "backend": "c",
        "precision": "int8",
    }
    assert [(v["runner"], v["bit_exact"]) for v in report["verify"]] == [("qemu", True)]
    assert report["accuracy"]["runner"] == "qemu"
    assert report["memory"]["flash_bytes"] is None
    assert (tmp_path / "b" / "build" / "digits.elf").is_file()
    x = np.load(TEST)["x"][:3]
    np.save(tmp_path / "x.npy", x)
    answers = []
    for runner in ("host", "qemu"):
        assert main(["verify", place, "--on", runner, "--data", f"{TEST}[:3]"]) == 0
        ends = ["--inputs", str(tmp_path / "x.npy"), "--outputs", str(tmp_path / f"{runner}.npy")]
        assert main(["run", place, "--on", runner, *ends]) == 0
        answers.append(np.load(tmp_path / f"{runner}.npy"))
    assert len(answers[0]) == 3
    np.testing.assert_array_equal(*answers)
    assert main(["profile", place]) == 2
    assert "counts no cycles" in capsys.readouterr().err


def test_the_gpu_has_no_code_generator_yet(capsys: pytest.CaptureFixture[str]) -> None:
    for backend in ([], ["--backend", "tvm"]):
        assert main(["compile", str(MODEL), "--target", "jetson-nano", *backend, *OPTIONS]) == 2
        said = capsys.readouterr().err
        assert "error: there is no code generator for the GPU of the NVIDIA Jetson Nano yet" in said
        assert "hint: --backend c compiles int8 for its CPU cores (cortex-a57)" in said
    assert main(["check", str(MODEL), "--target", "jetson-nano"]) == 2


@pytest.mark.parametrize("name", [t.name for t in list_targets() if t.jetson is None])
def test_every_other_target_has_the_c_backend_by_default(name: str) -> None:
    assert choose_backend(load_target(name), None) == "c"
    assert choose_backend(load_target(name), "tvm") == "tvm"


def test_a_backend_that_does_not_fit_is_refused() -> None:
    for name in ("jetson-nano", "cortex-a78"):
        with pytest.raises(UsageError, match=f"--backend tflm does not compile for '{name}'"):
            choose_backend(load_target(name), "tflm")
    assert "c" in BACKENDS


def test_there_is_no_board_to_tune_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--autotune measures kernels on an emulated board"):
        compile_file(
            MODEL,
            target="cortex-a57",
            autotune=True,
            calibration=CALIBRATION,
            output=tmp_path / "b",
        )
