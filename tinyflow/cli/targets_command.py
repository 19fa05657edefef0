"""List the targets that a model can be compiled for."""

from __future__ import annotations

import argparse

from tinyflow.cli.console import Console, table

HELP = "list the targets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes no arguments of its own."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.targets import list_targets

    targets = [
        {
            "name": target.name,
            "title": target.title,
            "core": target.core,
            "flash_bytes": target.board.stored_bytes if target.board else None,
            "ram_bytes": target.ram_bytes,
            "clock_hz": target.clock_hz,
            "emulator": target.emulated_by,
        }
        for target in list_targets()
    ]
    heads = ["TARGET", "WHAT", "FLASH", "RAM", "CLOCK", "EMULATOR"]
    rows = [
        [
            str(t["name"]),
            str(t["title"]),
            _size(t["flash_bytes"]),
            _size(t["ram_bytes"]),
            f"{t['clock_hz'] // 1_000_000} MHz" if isinstance(t["clock_hz"], int) else "-",
            str(t["emulator"] or "-"),
        ]
        for t in targets
    ]
    console.result(table(heads, rows), targets)
    return 0


def _size(nbytes: object) -> str:
    if not isinstance(nbytes, int):
        return "-"
    return f"{nbytes >> 30} GB" if nbytes >= 1 << 30 else f"{nbytes // 1024} KB"
