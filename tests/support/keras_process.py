"""Models that Keras writes, made once a test run: starting TensorFlow takes seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT, SHARED

RESNET = SHARED / "mlperf_tiny" / "pretrainedResnet.h5"
_PATIENCE = 300


def keras_models(factory: pytest.TempPathFactory) -> Path:
    """The folder that `tests.support.keras_models` fills; other workers wait for the first."""
    # Without workers, the base folder is of this run alone; with them, its parent is.
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "keras_models"
    try:
        folder.mkdir()
    except FileExistsError:
        _wait(folder)
    else:
        _write(folder)
    return folder


def _write(folder: Path) -> None:
    given = [str(RESNET)] if RESNET.exists() else []
    environment = {"CUDA_VISIBLE_DEVICES": "-1", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.keras_models", str(folder), *given],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    (folder / "done").write_text(done.stderr if done.returncode else "")
    _wait(folder)


def _wait(folder: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while not (folder / "done").exists():
        assert time.monotonic() < until, "Keras does not get its models written"
        time.sleep(0.2)
    assert not (folder / "done").read_text()
