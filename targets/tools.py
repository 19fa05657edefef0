"""The programs that are called, and what to install when one is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinyflow.errors import ToolError

PACKAGES = {
    "cmake": "cmake make",
    "gcc": "gcc libc6-dev",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "arm-none-eabi-nm": "binutils-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "qemu-aarch64": "qemu-user",
    "qemu-system-arm": "qemu-system-arm",
    "ssh": "openssh-client",
}
"""Program: the Debian packages that bring it."""

OUTPUT_LINES = 20


def is_installed(program: str) -> bool:
    return shutil.which(program) is not None


def find_program(program: str, purpose: str) -> str:
    """The program's path. Raises `ToolError` with the command that installs it."""
    path = shutil.which(program)
    if path is None:
        packages = PACKAGES.get(program, program)
        raise ToolError(
            f"{purpose} needs {program}, which is not installed",
            f"sudo apt-get install {packages}",
        )
    return path


def call(command: Sequence[str], purpose: str, cwd: Path) -> str:
    """What the program prints on stdout. Raises `ToolError` with its output where it fails."""
    program = find_program(command[0], purpose)
    answer = subprocess.run(
        [program, *command[1:]], cwd=cwd, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        text = tail(answer.stderr or answer.stdout)
        raise ToolError(f"{purpose} failed: {command[0]} ended with {answer.returncode}\n{text}")
    return answer.stdout


def tail(text: str, lines: int = OUTPUT_LINES) -> str:
    """The last lines of a program's output."""
    return "\n".join(text.strip().splitlines()[-lines:])
