"""`--backend tvm`: the same bundle, with kernels that TVM printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.digits import CALIBRATION, MODEL
from tinyflow.errors import MissingExtraError, UsageError
from tinyflow.pipeline import compile as compile_file
from tinyflow.pipeline import kernels


def test_digits_are_equal_on_the_emulator(tmp_path: Path) -> None:
    pytest.importorskip("tvm")
    bundle = compile_file(
        MODEL, target="cortex-m4", backend="tvm", calibration=CALIBRATION, output=tmp_path / "b"
    )
    report = bundle.report
    assert report["target"]["backend"] == "tvm"
    assert [verdict["bit_exact"] for verdict in report["verify"]] == [True]
    assert {layer["kernel"] for layer in report["layers"]} == {"tvm"}
    assert bundle.manifest["kernels"]["costs"] is None
    source = (bundle.path / "src" / "digits.c").read_text()
    assert "static void tvm_conv_2d" in source and "tvm/" not in source
    assert {path.name for path in (bundle.path / "kernels").iterdir()} == {
        "requantize.h",
        "tinyflow.h",
    }


def test_there_is_nothing_to_tune(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--autotune chooses among the kernels of --backend c"):
        compile_file(
            MODEL,
            target="cortex-m4",
            backend="tvm",
            autotune=True,
            calibration=CALIBRATION,
            output=tmp_path / "b",
        )
    assert not (tmp_path / "b").exists()


def test_without_tvm_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        compile_file(
            MODEL,
            target="cortex-m4",
            backend="tvm",
            calibration=CALIBRATION,
            output=tmp_path / "b",
        )
    assert caught.value.hint == "pip install 'tinyflow[tvm]'"
