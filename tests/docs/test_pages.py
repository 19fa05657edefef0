"""What the documentation names exists: files, folders, packages, commands and options."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.project import package_folders
from tinyflow.cli.main import COMMANDS, make_parser

PAGES = sorted(path for place in ("", "docs", "benchmarks") for path in (ROOT / place).glob("*.md"))
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^    (tinyflow (?:[^\n\\]|\\\n)+)$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_lines_are_short(page: Path) -> None:
    """Tables apart, and pages that are generated or hold one line a change."""
    if page.name in ("supported-operators.md", "CHANGELOG.md"):
        return
    long = [line for line in page.read_text().splitlines() if len(line) > 100 and "|" not in line]
    assert not long


def test_index_names_every_page() -> None:
    linked = set(LINK.findall((ROOT / "docs/index.md").read_text()))
    assert linked == {page.name for page in PAGES if page.parent.name == "docs"} - {"index.md"}


def test_layout_names_every_package() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/layout.md").read_text(), re.MULTILINE)
    for row in rows:
        assert (ROOT / row).exists(), f"docs/layout.md names {row}, which is not there"
    named = {Path(row) for row in rows}
    for folder in package_folders().values():
        above = {folder, *folder.parents} & named
        below = [row for row in named if row.is_relative_to(folder)]
        assert above or below, f"docs/layout.md does not name {folder}"


def test_dependencies_are_those_of_the_project() -> None:
    """Each table lists exactly what pyproject.toml requires."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "docs/dependencies.md").read_text()
    core, extras = re.findall(r"^\| (?:package|extra) \|.*?(?=\n\n)", text, re.DOTALL | re.M)
    assert [CODE.findall(row)[0] for row in core.splitlines()[2:]] == names(project["dependencies"])
    for row in extras.splitlines()[2:]:
        extra, *packages = CODE.findall(row.rpartition("|")[0].rpartition("|")[0])
        assert packages == names(project["optional-dependencies"].pop(extra))
    assert not project["optional-dependencies"]


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=!~; \[]", requirement)[0] for requirement in requirements]


def command_lines() -> list[tuple[str, str]]:
    """Each command in an indented block of a page, without what it is said to do."""
    return [
        (page.name, re.split(r" {2,}", re.sub(r" \\\n +", " ", line))[0])
        for page in PAGES
        for line in COMMAND.findall(page.read_text())
    ]


@pytest.mark.parametrize(("page", "command"), command_lines())
def test_command_is_understood(page: str, command: str) -> None:
    """Nothing runs: the parser only has to accept it."""
    arguments = shlex.split(command)[1:]
    placeholders = {"run": ["--inputs", "x.npy", "--outputs", "y.npy"]}
    if arguments[-1] == "DIR":
        arguments += placeholders.get(arguments[0], [])
    assert make_parser().parse_args(arguments).command == arguments[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command: str) -> None:
    text = (ROOT / "docs/command-line.md").read_text()
    (section,) = re.findall(rf"^## tinyflow {command}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.M)
    (commands,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    flags = {
        flag
        for action in commands.choices[command]._actions
        for flag in action.option_strings
        if flag.startswith("--")
    }
    documented = set(re.findall(r"--[a-z][a-z-]*", section))
    assert documented <= flags, "documented, but not there"
    assert flags - {"--help", "--json"} <= documented, "there, but not documented"


def test_every_kernel_variant_is_documented() -> None:
    from tinyflow.codegen.c.variants import PORTABLE, SPECIALIZED

    page = (ROOT / "docs/kernels.md").read_text()
    documented = {*CODE.findall(page), ", staged"}
    for variant in (*SPECIALIZED, *PORTABLE.values()):
        assert variant.name.removesuffix(", staged") in documented, variant.name
