"""Print a bundle's report in short, and draw report.html again from report.json."""

from __future__ import annotations

import argparse

from tinyflow.cli.arguments import add_bundle
from tinyflow.cli.console import Console

HELP = "print a bundle's report and redraw report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_bundle(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.report import draw_report, read_report, summarize

    report = read_report(arguments.bundle)
    draw_report(arguments.bundle, report)
    console.result(summarize(report, arguments.bundle), report)
    return 0
