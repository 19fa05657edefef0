"""Profiles any program that marks its inferences, without a bundle."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from tinyflow.errors import ToolError
from tinyflow.targets.model import FlashProfile, Target
from tinyflow.targets.profiler.counts import Inference, parse_result
from tinyflow.targets.profiler.plugin import build_plugin
from tinyflow.targets.profiler.setup import Setup, plugin_arguments
from tinyflow.targets.profiler.symbols import read_symbols
from tinyflow.targets.profiler.timing import load_timing
from tinyflow.targets.runners.qemu import emulator_command
from tinyflow.targets.tools import tail

SECONDS = 300.0


def profile_elf(
    elf: Path,
    target: Target,
    roots: Collection[str] = (),
    flash_profile: FlashProfile | None = None,
    seconds: float = SECONDS,
) -> tuple[Inference, ...]:
    """One entry for each pair of tinyflow_profile_begin() and tinyflow_profile_end().

    The program is linked for the target's emulated board and needs no files. Raises `ToolError`
    where a tool is missing, or the program does not end well within ``seconds``.
    """
    assert target.emulator is not None
    setup = Setup(
        read_symbols(elf),
        load_timing(target.core),
        target.emulator.flash,
        flash_profile,
        frozenset(roots),
    )
    with TemporaryDirectory(prefix="tinyflow-profile-") as folder:
        place = Path(folder)
        (place / "setup.txt").write_text(setup.text())
        plugin = plugin_arguments(build_plugin(), "setup.txt", "result.txt")
        command = [*emulator_command(target, elf.resolve()), *plugin]
        try:
            answer = subprocess.run(
                command,
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ToolError(f"'{elf.name}' did not end within {seconds:g} seconds") from None
        if answer.returncode != 0:
            text = tail(answer.stdout.decode(errors="replace"))
            raise ToolError(f"profiling '{elf.name}' failed with {answer.returncode}\n{text}")
        names = [function.name for function in setup.functions]
        return parse_result((place / "result.txt").read_text(), names)
