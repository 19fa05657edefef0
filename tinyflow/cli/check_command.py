"""Say everything that keeps a model from running on a target.

Lists each layer that cannot be compiled, by its name in the source model, and whether the model
fits the target's memory. Exit code 0: it can be compiled, 1: it cannot.
"""

from __future__ import annotations

import argparse

from tinyflow.cli.arguments import add_model, add_options, option_values
from tinyflow.cli.console import Console
from tinyflow.project import make_options

HELP = "list every obstacle between a model and a target"
_NAMES = ["target", "weights", "num_classes", "resolution", "shapes"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_options(parser, _NAMES)


def run(arguments: argparse.Namespace, console: Console) -> int:
    options = make_options(option_values(arguments, ["model", *_NAMES]), "check")

    from tinyflow.pipeline.check import check_model

    verdict = check_model(options, console)
    console.result(str(verdict), verdict.to_json())
    return 0 if verdict.passed else 1
