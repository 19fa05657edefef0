"""The packages list and the package data of pyproject.toml match the folders."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.project import data_files, package_folders, source_files

MOVED = ("quantize", "codegen", "targets", "firmware")


def test_packages_are_the_folders_with_python_files() -> None:
    folders = {path.parent for path in source_files()}
    assert set(package_folders().values()) == folders


@pytest.mark.parametrize("package", package_folders())
def test_package_has_an_init_file(package: str) -> None:
    assert (ROOT / package_folders()[package] / "__init__.py").is_file()


def test_every_data_file_is_package_data_of_one_package() -> None:
    """Files that are not Python and lie in the rooms are listed, and nothing is listed in vain."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed: list[Path] = []
    for package, patterns in settings["package-data"].items():
        folder = package_folders()[package]
        for pattern in patterns:
            found = [path.relative_to(ROOT) for path in (ROOT / folder).glob(pattern)]
            found = [path for path in found if (ROOT / path).is_file()]
            assert found, f"{package}: nothing matches {pattern}"
            listed += found
    assert sorted(listed) == sorted(data_files())


@pytest.mark.parametrize("name", MOVED)
def test_top_level_room_is_linked_into_tinyflow(name: str) -> None:
    """Type checkers and `python -m tinyflow` in a checkout find the rooms through these links."""
    assert (ROOT / "tinyflow" / name).is_symlink()
    assert (ROOT / "tinyflow" / name).readlink() == Path("..") / name
