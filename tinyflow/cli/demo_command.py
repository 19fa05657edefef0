"""Compile the digits model that comes with TinyFlow and run its test data in the emulator."""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyflow.cli.arguments import add_options
from tinyflow.cli.console import Console
from tinyflow.project import make_options

HELP = "compile and run the digits model that comes with TinyFlow"
_NAMES = ["target", "output"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser, _NAMES)


def run(arguments: argparse.Namespace, console: Console) -> int:
    import tinyflow.demo
    from tinyflow.pipeline import compile_model
    from tinyflow.report import read_report, summarize

    here = Path(tinyflow.demo.__file__).parent
    options = make_options(
        {
            "model": str(here / "digits.onnx"),
            "target": arguments.target or "cortex-m4",
            "output": arguments.output or "digits-demo",
            "calibration": str(here / "digits_calibration.npz"),
            "test_data": str(here / "digits_test.npz"),
        }
    )
    bundle = compile_model(options, console)
    report = read_report(bundle.path)
    console.result(summarize(report, bundle.path), report)
    return 0
