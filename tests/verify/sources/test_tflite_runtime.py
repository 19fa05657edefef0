"""The float comparison where tflite-runtime is what the user has, which needs numpy before 2."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT, shared

FOLDER = ROOT / ".venv-tflite-runtime"


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment with what a user of this extra has; it is kept from run to
    run."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the last tflite-runtime is for Python 3.11 at most")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["tflite-runtime"]]
    stamp = FOLDER / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(needed):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "-q", "--no-compile"]
        done = subprocess.run([*pip, *needed], capture_output=True, text=True)
        if "Could not find a version" in done.stderr:
            pytest.skip("tflite-runtime cannot be had: " + done.stderr.strip().splitlines()[0])
        assert done.returncode == 0, done.stderr
        stamp.write_text("\n".join(needed))
    return FOLDER / "bin" / "python"


@pytest.mark.slow
def test_float_models_compare_with_tflite_runtime(python: Path) -> None:
    model = shared("mlperf_tiny/pretrainedResnet.tflite")
    done = subprocess.run(
        [python, "-m", "tests.support.compare_with_source", str(model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "tflite-runtime 2.14.0, numpy 1." in done.stdout
    count = int(done.stdout.split(": ")[1].split()[0])
    assert count >= 10
