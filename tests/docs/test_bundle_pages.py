"""What the pages say about a bundle holds for the digits model's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tinyflow.cli.main import main

pytestmark = pytest.mark.slow

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror")
DEMO = ROOT / "tinyflow" / "demo"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "digits"
    data = ["--calibration", str(DEMO / "digits_calibration.npz")]
    options = ["--target", "cortex-m4", "-o", str(folder), "--no-run"]
    assert main(["compile", str(DEMO / "digits.onnx"), *options, *data]) == 0
    return folder


def test_files_of_the_bundle_are_there(bundle: Path) -> None:
    text = (ROOT / "docs" / "getting-started.md").read_text()
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert len(named) >= 10
    for name in named:
        assert (bundle / name).exists(), name
    unnamed = {path.name for path in bundle.iterdir()} - {name.split("/")[0] for name in named}
    assert unnamed <= {"CMakeLists.txt", "build"}


def example() -> str:
    code, *_ = re.findall(r"```c\n(.*?)```", (ROOT / "docs" / "c-api.md").read_text(), re.DOTALL)
    return code


def test_example_compiles_without_a_warning(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "example.c").write_text(example())
    folders = [f"-I{bundle / name}" for name in ("include", "kernels")]
    command = ["gcc", *STRICT, *folders, "-c", "example.c", "-o", "example.o"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert not answer.stderr
    assert answer.returncode == 0


def test_example_classifies(bundle: Path, tmp_path: Path) -> None:
    """Linked with the bundle's sources, it finds the class of the reference for a test vector."""
    (tmp_path / "example.c").write_text(example() + MAIN)
    folders = [f"-I{bundle / name}" for name in ("include", "kernels", "src", "test_vectors")]
    sources = sorted(map(str, (bundle / "src").glob("*.c")))
    command = ["gcc", "-std=c99", *folders, "example.c", *sources, "-o", "example"]
    subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "example"], check=True)


MAIN = """
#include "test_vectors.h"

int main(void)
{
    for (size_t n = 0; n < TEST_VECTOR_COUNT; n++) {
        const int8_t *pixels = (const int8_t *)test_inputs[0] + n * DIGITS_INPUT_0_BYTES;
        const int8_t *logits = (const int8_t *)test_outputs[0] + n * DIGITS_OUTPUT_0_BYTES;
        int best = 0;
        for (int i = 1; i < (int)DIGITS_OUTPUT_0_SIZE; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        if (classify(pixels) != best) {
            return 1;
        }
    }
    return 0;
}
"""
