"""Write a commented tinyflow.toml into the current folder.

With it, 'tinyflow compile' needs no arguments here. An existing file is left alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyflow.cli.arguments import add_model, add_options
from tinyflow.cli.console import Console
from tinyflow.errors import UsageError
from tinyflow.project import FILE_NAME, project_template

HELP = f"write a commented {FILE_NAME}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_options(parser, ["target"])


def run(arguments: argparse.Namespace, console: Console) -> int:
    path = Path(FILE_NAME)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(project_template(arguments.model, arguments.target))
    except FileExistsError:
        raise UsageError(
            f"there is a {FILE_NAME} already", "edit it, or remove it and run this again"
        ) from None
    except OSError as error:
        raise UsageError(f"{FILE_NAME} cannot be written here ({error.strerror})") from None
    console.result(f"wrote {FILE_NAME}", {"file": FILE_NAME})
    return 0
