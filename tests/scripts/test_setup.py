"""scripts/setup where it cannot do its work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SETUP = ROOT / "scripts" / "setup"


def run(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", SETUP, *arguments],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def without_emulator(tmp_path: Path) -> str:
    """A PATH with every program of this one but the emulator and apt-get."""
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).glob("*") if folder else ():
            if program.name not in ("qemu-system-arm", "apt-get"):
                link = tmp_path / program.name
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    return str(tmp_path)


def test_missing_package_is_one_sentence_that_names_it(without_emulator: str) -> None:
    answer = run("core", path=without_emulator)
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("error: these packages are missing")
    assert line.endswith(": qemu-system-arm")


def test_unknown_level_is_refused() -> None:
    answer = run("everything", path=os.environ["PATH"])
    assert answer.returncode == 1
    assert answer.stderr == "error: scripts/setup takes core or test, not 'everything'\n"
