"""The sdist and the wheel: what is in them, and that the wheel works where nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.project import data_files, module_name, source_files

pytestmark = pytest.mark.slow

NOT_SOURCE = (".*_cache", ".git", ".hypothesis", ".venv*", "*.egg-info", "__pycache__", "dist")


def run(command: list[str | Path], folder: Path) -> str:
    """Run a program away from the checkout, so that only what is installed can be imported."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    answer = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, f"{command}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was built from this sdist."""
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "tinyflow"
    # A build writes into its source folder, and another test process may build at the same time.
    shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    run([sys.executable, "-m", "build", "--outdir", folder, source], folder)
    return folder


def installed_path(path: Path) -> str:
    return str(path if path.parts[0] == "tinyflow" else Path("tinyflow") / path)


def test_wheel_holds_exactly_the_files_of_the_rooms(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == {installed_path(path) for path in [*source_files(), *data_files()]}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_sdist_holds_the_files_that_a_build_needs(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    needed = {Path("pyproject.toml"), Path("README.md"), Path("LICENSE")}
    assert needed | set(source_files()) | set(data_files()) <= inside


def test_wheel_alone_compiles_the_digits_model(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    install = [programs / "python", "-m", "pip", "install", "-qq", "--constraint"]
    run([*install, ROOT / "scripts" / "constraints.txt", wheel], tmp_path)

    where = "import tinyflow.demo; print(tinyflow.demo.__path__[0])"
    demo = Path(run([programs / "python", "-c", where], tmp_path).strip())
    assert demo.is_relative_to(tmp_path)
    modules = [module_name(path) for path in source_files() if _can_be_imported(path)]
    lacking = run([programs / "python", "-c", IMPORT_ALL, *modules], tmp_path).split()
    assert [name for name in lacking if not name.startswith(OF_EXTRAS)] == []

    compile_command = [programs / "tinyflow", "compile", demo / "digits.onnx", "-o", "bundle"]
    data = ["--target", "cortex-m4", "--calibration", demo / "digits_calibration.npz"]
    run([*compile_command, *data], tmp_path)
    report = json.loads((tmp_path / "bundle" / "report.json").read_text())
    assert report["model"]["name"] == "digits"
    assert report["target"]["core"] == "cortex-m4"
    assert report["memory"]["arena_bytes"] > 0
    assert (tmp_path / "bundle" / "src" / "digits.c").is_file()


IMPORT_ALL = """
import importlib, sys
PACKAGES = ("ai_edge_litert", "flatbuffers", "keras", "tensorflow", "torch", "tvm")
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in PACKAGES:
            raise
        print(name)
"""
"""Imports modules and prints those that lack a package of an extra."""

OF_EXTRAS = (
    "tinyflow.codegen.tvm",
    "tinyflow.importers.keras",
    "tinyflow.importers.tflite",
    "tinyflow.importers.torch",
    "tinyflow.models",
    "tinyflow.pipeline.torch_models",
    "tinyflow.verify.sources.torch",
)


def _can_be_imported(path: Path) -> bool:
    """Whether importing a file does not start main(); training needs what only developers have."""
    return path.stem not in ("__main__", "train")
