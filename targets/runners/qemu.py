"""In the emulator: firmware on the emulated board of the target's core, or a program of Linux."""

from __future__ import annotations

from pathlib import Path

from tinyflow.bundle import Bundle
from tinyflow.errors import UsageError
from tinyflow.targets.build import build_firmware
from tinyflow.targets.load import load_target
from tinyflow.targets.model import Board, System, Target
from tinyflow.targets.runners.cache import build_once
from tinyflow.targets.runners.runner import ProgramRunner
from tinyflow.targets.tools import find_program

EMULATOR = "qemu-system-arm"
LINUX_EMULATOR = "qemu-aarch64"
"""Of programs, without a system around them."""


class QemuRunner(ProgramRunner):
    """Runs the very ELF file of the bundle where that was linked for the emulated board."""

    name = "qemu"

    def prepare(self, bundle: Bundle, taps: bool, sanitize: bool) -> list[str]:
        if sanitize:
            raise UsageError("the emulator has no sanitizers", "run with sanitizers on host")
        target = load_target(bundle.target)
        if target.system is not System.LINUX:
            target = emulated_target(bundle)
        return emulator_command(target, find_firmware(bundle, target, taps))


def emulated_target(bundle: Bundle) -> Target:
    """The bundle's target, which runs firmware. Raises `UsageError` where the emulator has no such
    core."""
    target = load_target(bundle.target)
    if target.system is System.LINUX:
        raise UsageError(
            f"'{bundle.path}' was compiled for '{target.name}', whose emulation counts no cycles",
            "measure it on the board",
        )
    if target.emulator is None:
        raise UsageError(
            f"'{bundle.path}' was compiled for '{target.name}', which is not emulated",
            "run it on host, or compile it for a Cortex-M core",
        )
    return target


def emulator_command(target: Target, elf: Path) -> list[str]:
    """Runs an ELF file that was linked for the target's emulated board, or for its Linux. Raises
    `ToolError`."""
    if target.system is System.LINUX:
        program = find_program(emulator_of(target), "the emulated run")
        return [program, "-cpu", str(target.processor), str(elf)]
    emulator = find_program(EMULATOR, "the emulated run")
    machine = [emulator, "-M", str(target.machine), "-nographic"]
    devices = ["-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    return [*machine, *devices, *semihosting, "-kernel", str(elf)]


def emulator_of(target: Target) -> str:
    """The program that runs what is built for the target."""
    return LINUX_EMULATOR if target.system is System.LINUX else EMULATOR


def find_firmware(bundle: Bundle, target: Target, taps: bool = False) -> Path:
    """The ELF file for the emulated board; built where the bundle holds no such one."""
    board: Board | None = target.emulator
    shipped = bundle.path / "build" / f"{bundle.name}.elf"
    if not taps and target.board == board and shipped.is_file():
        return shipped.resolve()
    return build_once(
        bundle.path,
        f"{target.name} verify={taps} {bundle.optimize}",
        lambda path: build_firmware(
            bundle.path, target, taps, board, path, optimize=bundle.optimize
        ),
    )
