"""The functions of an ELF file and where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tinyflow.targets.tools import call

_CODE = frozenset("tTwW")


@dataclass(frozen=True)
class Symbol:
    """``nbytes`` may be 0 where the source, an assembly file, does not tell."""

    name: str
    address: int
    nbytes: int


def read_symbols(elf: Path) -> tuple[Symbol, ...]:
    """All symbols of code sections. Raises `ToolError`."""
    command = ["arm-none-eabi-nm", "--defined-only", "--print-size", str(elf.resolve())]
    lines = call(command, "profiling the firmware", elf.resolve().parent).splitlines()
    found = []
    for line in lines:
        address, *size, kind, name = line.split(maxsplit=3 if len(line.split()) > 3 else 2)
        if kind in _CODE:
            found.append(Symbol(name, int(address, 16), int(size[0], 16) if size else 0))
    return tuple(found)


def function_ranges(symbols: Iterable[Symbol]) -> tuple[Symbol, ...]:
    """One symbol for each address, in ascending order, without overlaps and with sizes.

    A symbol without a size reaches to the next one.
    """
    by_address: dict[int, Symbol] = {}
    for symbol in sorted(symbols, key=lambda s: (s.address, -s.nbytes, s.name)):
        by_address.setdefault(symbol.address, symbol)
    ordered = list(by_address.values())
    ends = [symbol.address for symbol in ordered[1:]]
    ranges = []
    for symbol, end in zip(ordered, [*ends, None], strict=True):
        room = end - symbol.address if end is not None else symbol.nbytes
        nbytes = min(symbol.nbytes or room, room)
        ranges.append(Symbol(symbol.name, symbol.address, nbytes))
    return tuple(ranges)
