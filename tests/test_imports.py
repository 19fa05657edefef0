"""Who may import whom: the rooms of docs/layout.md, held to over every file."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.project import module_name, source_files

# What every room may import, besides itself.
COMMON = {"ir", "errors"}
DESCRIPTIONS = {"targets", "firmware"}
CORE = {"importers", "passes", "quantize"}
BUILD = CORE | DESCRIPTIONS | {"codegen", "bundle", "runners", "data", "project", "progress"}

# Each room and what it may import besides itself and COMMON. A room is a package or module below
# tinyflow; the longest name that fits a module is its room.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "ir": {"errors"},
    "importers": set(),
    "passes": set(),
    "quantize": set(),
    "firmware": set(),
    "targets": {"firmware"},
    "codegen": DESCRIPTIONS,
    "bundle": set(),
    "runners": {*DESCRIPTIONS, "bundle"},
    "data": set(),
    "progress": set(),
    "project": set(),
    "demo": set(),
    "estimate": set(),
    "models": set(),
    "verify": BUILD,
    "profile": BUILD | {"verify"},
    "report": BUILD | {"verify"},
    "tune": BUILD,
    "pipeline": BUILD | {"verify", "report", "tune", "models"},
    "cli": BUILD | {"verify", "profile", "report", "pipeline", "demo", "models"},
    "api": BUILD | {"verify", "profile", "report", "pipeline", "models"},
}

# Modules whose room is not their first name below tinyflow.
ROOM_OF = {
    "tinyflow.__main__": "cli",
    "tinyflow.targets.build": "runners",
    "tinyflow.targets.build_tflite_micro": "runners",
    "tinyflow.targets.profiler": "runners",
    "tinyflow.targets.runners": "runners",
    "tinyflow.targets.ssh": "runners",
}

HEAVY = {
    "numpy",
    "onnx",
    "onnxsim",
    "jinja2",
    "PIL",
    "ai_edge_litert",
    "torch",
    "flatbuffers",
    "tvm",
}
MOVED = ("quantize", "codegen", "targets", "firmware")


def room_of(module: str) -> str:
    for special, room in ROOM_OF.items():
        if f"{module}.".startswith(f"{special}."):
            return room
    return "api" if module == "tinyflow" else module.split(".")[1]


def imported_modules(path: Path, known: set[str]) -> Iterator[tuple[int, str]]:
    """Each project module that a file names in an import, with the line."""
    for node in ast.walk(ast.parse(path.read_text(), path.name)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            module = node.module or ""
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield node.lineno, inner if inner in known else module


FILES = {module_name(path): ROOT / path for path in source_files()}


@pytest.mark.parametrize("module", FILES)
def test_imports_only_what_the_rooms_allow(module: str) -> None:
    room = room_of(module)
    assert room in ALLOWED, f"{module} stands in no room: give it one in {Path(__file__).name}"
    allowed = ALLOWED[room] | COMMON | {room}
    wrong = []
    for line, imported in imported_modules(FILES[module], set(FILES)):
        root = imported.split(".")[0]
        assert root not in MOVED, f"{module}:{line}: import tinyflow.{imported}"
        if root == "tinyflow" and imported != "tinyflow" and room_of(imported) not in allowed:
            wrong.append(f"line {line}: {imported}")
    assert not wrong, f"{module} ({room}) may not import: {'; '.join(wrong)}"


def test_no_two_rooms_import_each_other() -> None:
    """The rules themselves allow no circle: repeatedly take away rooms that need no other."""
    left = {room: set(others) for room, others in ALLOWED.items()}
    while free := {room for room, others in left.items() if not others & left.keys()}:
        left = {room: others for room, others in left.items() if room not in free}
    assert not left, f"a circle of rooms: {sorted(left)}"


def test_quantize_never_imports_codegen() -> None:
    assert not ALLOWED["quantize"] & {"codegen", "targets", "bundle", "runners"}


@pytest.mark.parametrize("module", ["tinyflow", "tinyflow.cli.main", "tinyflow.errors"])
def test_imports_nothing_heavy(module: str) -> None:
    """The command line answers at once because heavy packages wait until they are needed."""
    code = f"import {module}, sys; print(*sorted(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.split(".")[0] for name in answer.stdout.split()}
    assert not loaded & HEAVY
