"""Reads the TOML files of cores and boards."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any

from tinyflow.errors import UsageError
from tinyflow.targets.model import (
    COMPILERS,
    Board,
    Core,
    FlashProfile,
    Gpu,
    JetPack,
    Jetson,
    Region,
    System,
    Target,
)

HOST = "host"

_CORE_KEYS = {"title", "compiler", "flags", "emulator", "features", "processor"}
_BOARD_KEYS = {"title", "core", "clock_hz", "machine", "memory", "flash_profile"}
_EMULATION = {System.BARE_METAL: "emulator", System.LINUX: "processor"}
"""The key of a core by which QEMU runs it."""


def list_targets() -> tuple[Target, ...]:
    """The host, every core, every board that is not an emulated one, and every Jetson."""
    cores = [name for name in load_cores() if name != HOST]
    boards = [name for name, board in load_boards().items() if board.machine is None]
    return tuple(load_target(name) for name in (HOST, *cores, *boards, *load_jetsons()))


def load_target(name: str) -> Target:
    """The target of that name. Raises `UsageError` naming all targets."""
    cores, boards, jetsons = load_cores(), load_boards(), load_jetsons()
    if name in cores:
        core = cores[name]
        board = boards[core.emulator] if core.emulator else None
        return _target(name, core.title, core, board, board)
    if name in boards:
        board = boards[name]
        core = cores[board.core]
        emulator = board if board.machine else boards.get(core.emulator or "")
        return _target(name, board.title, core, board, emulator)
    if name in jetsons:
        jetson = jetsons[name]
        return _target(name, jetson.title, cores[jetson.core], None, None, jetson)
    names = [target.name for target in list_targets()]
    raise UsageError(f"there is no target '{name}'", f"choose one of {', '.join(names)}")


def _target(
    name: str,
    title: str,
    core: Core,
    board: Board | None,
    emulator: Board | None,
    jetson: Jetson | None = None,
) -> Target:
    return Target(
        name,
        title,
        core.name,
        core.compiler,
        core.flags,
        board,
        emulator,
        core.features,
        core.processor,
        jetson,
    )


@cache
def load_cores() -> dict[str, Core]:
    return _load_folder("cores", parse_core)


@cache
def load_boards() -> dict[str, Board]:
    return _load_folder("boards", parse_board)


@cache
def load_jetsons() -> dict[str, Jetson]:
    return _load_folder("jetsons", parse_jetson)


def _load_folder(folder: str, parse: Callable[[str, Mapping[str, Any]], Any]) -> dict[str, Any]:
    entries = sorted(files("tinyflow.targets").joinpath(folder).iterdir(), key=lambda e: e.name)
    return {
        (name := entry.name.removesuffix(".toml")): parse(name, tomllib.loads(entry.read_text()))
        for entry in entries
        if entry.name.endswith(".toml")
    }


def parse_core(name: str, table: Mapping[str, Any]) -> Core:
    """Raises `UsageError` where a key is missing or unknown, or names another way to emulate than
    the system has."""
    where = f"the core '{name}'"
    _check_keys(where, table, _CORE_KEYS, {"title", "compiler", "flags"})
    if table["compiler"] not in COMPILERS:
        raise UsageError(
            f"{where} names the compiler '{table['compiler']}'",
            f"choose one of {', '.join(COMPILERS)}",
        )
    system = COMPILERS[table["compiler"]]
    for other, key in _EMULATION.items():
        if key in table and system is not other:
            raise UsageError(
                f"{where} has the key '{key}' and is compiled for {system.value}",
                f"'{key}' belongs to {other.value}",
            )
    return Core(
        name,
        table["title"],
        table["compiler"],
        tuple(table["flags"]),
        table.get("emulator"),
        tuple(table.get("features", ())),
        table.get("processor"),
    )


def parse_board(name: str, table: Mapping[str, Any]) -> Board:
    """Raises `UsageError` where a key is missing or unknown, or a value out of range."""
    where = f"the board '{name}'"
    _check_keys(where, table, _BOARD_KEYS, {"title", "core", "memory"})
    if table["core"] not in load_cores():
        raise UsageError(
            f"{where} has the core '{table['core']}'", f"choose one of {', '.join(load_cores())}"
        )
    memory = table["memory"]
    kinds = {"flash", "ram", "constants"}
    _check_keys(f"the memory of {where}", memory, kinds, {"flash", "ram"})
    regions = {}
    for kind, region in memory.items():
        _check_keys(f"the {kind} of {where}", region, {"origin", "bytes"}, {"origin", "bytes"})
        regions[kind] = Region(region["origin"], region["bytes"])
    profile = None
    if "flash_profile" in table:
        keys = set(FlashProfile.__dataclass_fields__)
        _check_keys(f"the flash profile of {where}", table["flash_profile"], keys, keys)
        profile = FlashProfile(**table["flash_profile"])
    return Board(
        name=name,
        title=table["title"],
        core=table["core"],
        flash=regions["flash"],
        ram=regions["ram"],
        clock_hz=table.get("clock_hz"),
        machine=table.get("machine"),
        flash_profile=profile,
        constants=regions.get("constants"),
    )


def parse_jetson(name: str, table: Mapping[str, Any]) -> Jetson:
    """Raises `UsageError` where a key is missing or unknown."""
    where = f"the board '{name}'"
    known = {f.name for f in fields(Jetson)} - {"name"}
    _check_keys(where, table, known, known)
    if table["core"] not in load_cores():
        raise UsageError(
            f"{where} has the core '{table['core']}'", f"choose one of {', '.join(load_cores())}"
        )
    gpu, jetpack = table["gpu"], table["jetpack"]
    keys = {f.name for f in fields(Gpu)}
    _check_keys(f"the GPU of {where}", gpu, keys, keys - {"advice"})
    keys = {f.name for f in fields(JetPack)}
    _check_keys(f"the JetPack of {where}", jetpack, keys, keys)
    return Jetson(
        **{
            **table,
            "name": name,
            "gpu": Gpu(**{**gpu, "precisions": tuple(gpu["precisions"])}),
            "jetpack": JetPack(**jetpack),
        }
    )


def _check_keys(where: str, table: Mapping[str, Any], known: set[str], required: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise UsageError(
            f"{where} has the unknown key '{unknown[0]}'",
            f"the keys are {', '.join(sorted(known))}",
        )
    if missing := sorted(required - set(table)):
        raise UsageError(f"{where} lacks the key '{missing[0]}'")
