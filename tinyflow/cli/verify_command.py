"""Compare a bundle with the integer reference, on every tensor of every layer.

Exit code 1 and the first layer that differs where anything does. The verdict also goes into the
bundle's report.json and report.html. Without --data the bundle's own test vectors are used.

--ladder compares every runtime at hand: the model's own (with --model), the float graph, the
integer reference, this computer, the emulator, and the exported .tflite file in TFLite Micro and
LiteRT.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tinyflow.cli.arguments import add_bundle, add_options, add_runner
from tinyflow.cli.console import Console, table
from tinyflow.project import option

if TYPE_CHECKING:
    from tinyflow.verify.ladder import Ladder

HELP = "prove a bundle equal to the integer reference"
_MODEL = ["weights", "num_classes", "resolution", "shapes"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_bundle(parser)
    add_runner(parser)
    parser.add_argument("--data", metavar="DATA", help="inputs: .npz, folder or module:iterable")
    parser.add_argument("--inputs", metavar="N", type=_count, help="use only the first N inputs")
    parser.add_argument("--ladder", action="store_true", help="compare all runtimes at hand")
    parser.add_argument(
        "--model", metavar="MODEL", help="the model that the bundle was made from, for --ladder"
    )
    add_options(parser, _MODEL)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a whole number from 1 on")
    return int(text)


def run(arguments: argparse.Namespace, console: Console) -> int:
    return _climb(arguments, console) if arguments.ladder else _verify(arguments, console)


def _verify(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.bundle import read_bundle
    from tinyflow.errors import UsageError
    from tinyflow.report import add_verdict
    from tinyflow.verify import verify_bundle

    given = [n for n in ("model", *_MODEL) if getattr(arguments, n) is not None]
    if given:
        flag = "--model" if given[0] == "model" else option(given[0]).flag
        raise UsageError(f"{flag} was given without --ladder", "add --ladder")
    bundle = read_bundle(arguments.bundle)
    verdict = verify_bundle(
        bundle, arguments.on, data=arguments.data, limit=arguments.inputs, progress=console
    )
    add_verdict(bundle.path, verdict.to_json())
    console.result(str(verdict), verdict.to_json())
    verdict.raise_on_mismatch()
    return 0


def _climb(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.bundle import read_bundle
    from tinyflow.pipeline.ladder import climb_ladder
    from tinyflow.verify.inference import bundle_dataset

    bundle = read_bundle(arguments.bundle)
    model = None
    if arguments.model is not None:
        names = [name for name in _MODEL if getattr(arguments, name) is not None]
        model = {"model": arguments.model} | {
            name: dict(getattr(arguments, name)) if option(name).table else getattr(arguments, name)
            for name in names
        }
    data = bundle_dataset(bundle, arguments.data, arguments.inputs)
    ladder = climb_ladder(bundle, data, arguments.on, model, console)
    console.result(_summary(ladder), ladder.to_json())
    return 0 if ladder.holds else 1


def _summary(ladder: Ladder) -> str:
    heads = ("runtime", "against", "verdict", "tensors", "inputs", "first difference")
    rows = [
        (
            rung.name,
            rung.against,
            rung.outcome.value,
            str(rung.tensors) if rung.tensors else "-",
            str(rung.inputs) if rung.inputs else "-",
            rung.summary,
        )
        for rung in ladder.rungs
    ]
    return table(heads, rows)
