"""The digits model, compiled once for all tests that need a bundle."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.paths import ROOT
from tinyflow.bundle import Bundle
from tinyflow.pipeline import compile as compile_file

DEMO = ROOT / "tinyflow" / "demo"
MODEL = DEMO / "digits.onnx"
CALIBRATION = f"{DEMO / 'digits_calibration.npz'}[:40]"
TEST = DEMO / "digits_test.npz"


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="tinyflow-tests-")


@cache
def digits_bundle() -> Bundle:
    """Compiled for a Cortex-M4 and not run; tests must not change it, but may copy it."""
    return compile_file(
        MODEL,
        target="cortex-m4",
        calibration=CALIBRATION,
        test_data=f"{TEST}[:50]",
        output=str(Path(_folder().name) / "digits"),
        run=False,
    )
