"""Compile a model into a firmware bundle.

MODEL and every option may stand in tinyflow.toml in the current folder; the command line wins.
Prints what was measured. The bundle's report.html shows it in full.
"""

from __future__ import annotations

import argparse

from tinyflow.cli.arguments import add_model, add_options, option_values
from tinyflow.cli.console import Console
from tinyflow.project import OPTIONS, make_options

HELP = "compile a model into a firmware bundle"
_NAMES = [option.field for option in OPTIONS if option.field != "model"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_options(parser, _NAMES)
    parser.add_argument(
        "--autotune",
        action="store_true",
        help="choose kernels by measuring this model's layers on the emulator",
    )
    parser.add_argument("--no-build", action="store_true", help="do not build the firmware")
    parser.add_argument(
        "--no-run", action="store_true", help="do not run the firmware in the emulator"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    values = option_values(arguments, ["model", *_NAMES])
    if arguments.tflite_builtins is None and values.get("backend") != "tflm":
        # In tinyflow.toml it is there for `tinyflow quantize`.
        values.pop("tflite_builtins", None)
    values |= {"build": not arguments.no_build, "run": not arguments.no_run}
    values["autotune"] = arguments.autotune
    options = make_options(values, "compile")

    from tinyflow.pipeline import compile_model
    from tinyflow.report import read_report, summarize

    bundle = compile_model(options, console)
    report = read_report(bundle.path)
    console.result(summarize(report, bundle.path), report)
    return 0
