"""The command line's entry: finds the command, runs it, and tells errors to people."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NoReturn

from tinyflow import __version__
from tinyflow.cli.console import Console
from tinyflow.errors import TinyflowError, UsageError

COMMANDS = (
    "compile",
    "check",
    "quantize",
    "run",
    "verify",
    "profile",
    "report",
    "targets",
    "models",
    "demo",
    "init",
)
"""One module of `tinyflow.cli` each, as ``<name>_command``, in the order of the help."""

INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Reports misuse as every other error is reported."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"'{self.prog} --help' lists what it takes")


def command_module(name: str) -> ModuleType:
    return import_module(f"tinyflow.cli.{name}_command")


def make_parser() -> Parser:
    parser = Parser(
        prog="tinyflow",
        allow_abbrev=False,
        description="Compiles a trained model into a verified int8 firmware bundle.",
        epilog="'tinyflow COMMAND --help' tells more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"tinyflow {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = command_module(name)
        text = str(module.HELP)
        sub = commands.add_parser(
            name,
            help=text,
            description=(module.__doc__ or text).strip(),
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0 done, 1 at fault, 2 usage, 3 a gate failed."""
    console = Console(sys.stdout, sys.stderr)
    try:
        arguments = make_parser().parse_args(argv)
        console.json = arguments.json
        code = int(command_module(arguments.command).run(arguments, console))
        sys.stdout.flush()
    except TinyflowError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; without this, Python complains again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
