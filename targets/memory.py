"""How much memory a firmware takes, from its linked ELF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyflow.targets.tools import call

_FLASH = {".text", ".constants", ".ARM.exidx", ".data"}
_RAM = {".data", ".bss"}


@dataclass(frozen=True)
class MemoryUse:
    """Bytes. ``flash_bytes`` is all that is stored in flash, the harness included:
    ``code_bytes`` + ``weight_bytes`` + ``table_bytes``. ``ram_bytes`` is static memory, the
    arena included, and the stack where that was measured."""

    code_bytes: int
    weight_bytes: int
    table_bytes: int
    flash_bytes: int
    static_bytes: int
    stack_bytes: int | None
    ram_bytes: int


def measure_memory(
    elf: Path, weight_bytes: int, table_bytes: int, stack_bytes: int | None = None
) -> MemoryUse:
    """``weight_bytes`` and ``table_bytes`` are those of the generated sources; code is
    everything else in flash. Raises `ToolError`."""
    sections = section_sizes(elf)
    flash = sum(size for name, size in sections.items() if name in _FLASH)
    static = sum(size for name, size in sections.items() if name in _RAM)
    return MemoryUse(
        code_bytes=flash - weight_bytes - table_bytes,
        weight_bytes=weight_bytes,
        table_bytes=table_bytes,
        flash_bytes=flash,
        static_bytes=static,
        stack_bytes=stack_bytes,
        ram_bytes=static + (stack_bytes or 0),
    )


def section_sizes(elf: Path) -> dict[str, int]:
    """Bytes by section name."""
    command = ["arm-none-eabi-size", "-A", str(elf.resolve())]
    lines = call(command, "measuring the firmware", elf.resolve().parent).splitlines()
    rows = (line.split() for line in lines if line.startswith("."))
    return {name: int(size) for name, size, *_ in rows}
