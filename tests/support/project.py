"""What pyproject.toml and the folders say about the project's own files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

ROOMS = ("tinyflow", "quantize", "codegen", "targets", "firmware")


def package_folders() -> dict[str, Path]:
    """The packages of pyproject.toml and their folders, relative to the root."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    moved = settings["package-dir"]
    folders = {}
    for package in settings["packages"]:
        root = max((p for p in moved if f"{package}.".startswith(f"{p}.")), key=len)
        below = package.removeprefix(root).strip(".").replace(".", "/")
        folders[package] = Path(moved[root]) / below
    return folders


def source_files() -> list[Path]:
    """Every Python file of the rooms, relative to the root."""
    return [path for path in _files() if path.suffix == ".py"]


def data_files() -> list[Path]:
    """Every other file of the rooms, relative to the root."""
    return [path for path in _files() if path.suffix != ".py"]


def module_name(path: Path) -> str:
    """The name under which a file of source_files() is imported."""
    parts = [*path.parent.parts, *([] if path.stem == "__init__" else [path.stem])]
    return ".".join(parts if parts[0] == "tinyflow" else ["tinyflow", *parts])


def _files() -> Iterator[Path]:
    """rglob does not follow the links from tinyflow/ to the other rooms."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)
