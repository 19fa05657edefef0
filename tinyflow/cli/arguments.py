"""Arguments that several commands share, made from the one table of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tinyflow.project import Option, option, read_project

RUNNERS = "host, qemu or ssh:USER@HOST[:PORT]"


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help=option("model").help)


def add_options(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """Flags for the named fields of CompileOptions; all default to None: not given."""
    short = {"output": ["-o"]}
    for name in names:
        entry = option(name)
        # argparse reads % in help texts as its own.
        text = entry.help.replace("%", "%%")
        if entry.switch:
            parser.add_argument(entry.flag, dest=name, help=text, action="store_const", const=True)
            continue
        parser.add_argument(
            *short.get(name, []),
            entry.flag,
            dest=name,
            metavar=entry.metavar,
            help=text,
            type=_named(entry) if entry.table else _typed(entry),
            action="append" if entry.table else "store",
        )


def option_values(arguments: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """What tinyflow.toml in this folder says, overruled by what the command line says."""
    values = read_project(Path.cwd())
    for name in names:
        given = getattr(arguments, name)
        if given is None:
            continue
        values[name] = {**values.get(name, {}), **dict(given)} if option(name).table else given
    return values


def add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="DIR", type=Path, help="folder of a bundle")


def add_runner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on", metavar="RUNNER", default="host", help=f"{RUNNERS} (default: host)")


def _typed(entry: Option) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return entry.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"'{text}': {error}") from None

    return parse


def _named(entry: Option) -> Callable[[str], tuple[str, Any]]:
    def parse(text: str) -> tuple[str, Any]:
        name, equals, value = text.rpartition("=")
        if not (name and equals):
            raise argparse.ArgumentTypeError(f"'{text}': expected {entry.metavar}")
        try:
            return name, entry.parse(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"'{text}': {error}") from None

    return parse
