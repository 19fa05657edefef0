"""Compare a bundle with the integer reference, on every tensor of every layer.

Exit code 1 and the first layer that differs where anything does. The verdict also goes into the
bundle's report.json and report.html. Without --data the bundle's own test vectors are used.
"""

from __future__ import annotations

import argparse

from tinyflow.cli.arguments import add_bundle, add_runner
from tinyflow.cli.console import Console

HELP = "prove a bundle equal to the integer reference"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_bundle(parser)
    add_runner(parser)
    parser.add_argument("--data", metavar="DATA", help="inputs: .npz, folder or module:iterable")
    parser.add_argument("--inputs", metavar="N", type=_count, help="use only the first N inputs")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a whole number from 1 on")
    return int(text)


def run(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.bundle import read_bundle
    from tinyflow.report import add_verdict
    from tinyflow.verify import verify_bundle

    bundle = read_bundle(arguments.bundle)
    verdict = verify_bundle(
        bundle, arguments.on, data=arguments.data, limit=arguments.inputs, progress=console
    )
    add_verdict(bundle.path, verdict.to_json())
    console.result(str(verdict), verdict.to_json())
    verdict.raise_on_mismatch()
    return 0
