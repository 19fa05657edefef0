"""Quantize a model to int8 without compiling it.

Writes DIR/model.tfq, which 'tinyflow compile' accepts as a model, and DIR/report.json with
report.html: accuracy on --test-data and the error of each layer. With --tflite, also
DIR/model.tflite for TensorFlow Lite Micro, with custom operators where it has no builtin ones, or,
with --tflite-builtins, without.
"""

from __future__ import annotations

import argparse

from tinyflow.cli.arguments import add_model, add_options, option_values
from tinyflow.cli.console import Console
from tinyflow.project import make_options

HELP = "quantize a model and report its accuracy"
_NAMES = [
    "weights", "num_classes", "resolution", "postprocess", "name", "output", "calibration",
    "test_data", "shapes", "mean", "std", "scale", "x_scale", "x_zero_point", "ranges", "rounding",
    "input_ranges", "tflite_builtins",
]  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_options(parser, _NAMES)
    parser.add_argument("--tflite", action="store_true", help="write model.tflite as well")


def run(arguments: argparse.Namespace, console: Console) -> int:
    values = option_values(arguments, ["model", *_NAMES])
    values["tflite"] = arguments.tflite
    options = make_options({"target": "none", **values}, "quantize")

    from tinyflow.pipeline import quantize_file
    from tinyflow.report import read_report, summarize

    folder = quantize_file(options, console)
    report = read_report(folder)
    console.result(summarize(report, folder), report)
    return 0
