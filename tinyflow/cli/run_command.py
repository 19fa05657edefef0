"""Run a bundle on a batch of inputs.

Inputs and outputs are .npy files, or .npz with one array per input or output, by name. They stand
in the source model's layout. Real numbers and raw uint8 pixels go in, real numbers come out; with
--raw, the tensors' own integers go in and come out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyflow.cli.arguments import add_bundle, add_runner
from tinyflow.cli.console import Console

HELP = "run a bundle on a batch of inputs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_bundle(parser)
    add_runner(parser)
    parser.add_argument("--inputs", metavar="FILE", type=Path, required=True, help=".npy or .npz")
    parser.add_argument("--outputs", metavar="FILE", type=Path, required=True, help=".npy or .npz")
    parser.add_argument("--raw", action="store_true", help="integers in and out")


def run(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.bundle import read_bundle
    from tinyflow.verify import load_inputs, run_bundle, save_outputs

    bundle = read_bundle(arguments.bundle)
    inputs = load_inputs(bundle, arguments.inputs, raw=arguments.raw)
    outputs = run_bundle(bundle, arguments.on, inputs, raw=arguments.raw, progress=console)
    save_outputs(arguments.outputs, outputs)
    shapes = {name: list(array.shape) for name, array in outputs.items()}
    listed = ", ".join(f"{n} {'x'.join(map(str, shape))}" for n, shape in shapes.items())
    document = {"runner": arguments.on, "outputs": shapes, "file": str(arguments.outputs)}
    console.result(f"{arguments.outputs}: {listed}", document)
    return 0
