"""Small programs on the emulated Cortex-M4: their own main(), TinyFlow's start-up and files."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.compiled import WARNINGS, call
from tests.support.paths import ROOT
from tinyflow.targets import load_target
from tinyflow.targets.runners.qemu import emulator_command

_FIRMWARE = ROOT / "firmware"
_START = (
    _FIRMWARE / "boards" / "cortex-m" / "startup.c",
    _FIRMWARE / "boards" / "cortex-m" / "platform_semihosting.c",
)


def run_bare_metal(
    sources: Sequence[Path], folder: Path, core: str = "cortex-m4", flags: Sequence[str] = ("-O2",)
) -> None:
    """Builds C and assembly files and runs them in ``folder``, where platform_open() looks for
    names. A warning of the compiler fails the test, and so does an exit status other than 0."""
    target = load_target(core)
    assert target.emulator is not None
    regions = {"FLASH": target.emulator.flash, "RAM": target.emulator.ram}
    lines = [
        f"    {name} (rwx) : ORIGIN = {region.origin:#x}, LENGTH = {region.nbytes}"
        for name, region in regions.items()
    ]
    alias = 'REGION_ALIAS("CONSTANTS", FLASH)'
    script = folder / "memory.ld"
    script.write_text("\n".join(["MEMORY", "{", *lines, "}", alias, "INCLUDE sections.ld", ""]))
    includes = [f"-I{_FIRMWARE / name}" for name in ("app", "kernels", "kernels/dsp")]
    compiler = [target.compiler, *target.flags, *WARNINGS, *flags, *includes]
    objects = []
    for source in (*_START, *sources):
        objects.append(folder / f"{source.stem}.arm.o")
        call([*compiler, "-c", source, "-o", objects[-1]])
    link = ["-nostdlib", "-nostartfiles", f"-L{_START[0].parent}", f"-T{script}"]
    elf = folder / "program.elf"
    call([target.compiler, *target.flags, *link, *objects, "-lc", "-lgcc", "-o", elf])
    done = subprocess.run(
        emulator_command(target, elf), cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"the program ended with {done.returncode}: {done.stdout}"
