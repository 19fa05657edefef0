"""What every model of `tinyflow models` takes: parameters, multiplications, int8 size, arena.

    python benchmarks/models.py [--write FILE] [NAME ...]

The figures are those of the published resolution and classes, the same in every run with the same
version of TinyFlow. The arena is that of a Cortex-M7's kernels on a board without limits, planned
after quantization on noise, as `tinyflow check` does. With ``--write`` FILE, the package's
``tinyflow/models/figures.json``, gets the figures of the models named and keeps the others.

A small model takes 15 s, Next-ViT-L some minutes and 6 GB.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from tinyflow.data import random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.errors import TinyflowError
from tinyflow.models import build_model, list_models, model_spec
from tinyflow.models.figures import Figures
from tinyflow.pipeline.kernels import plan_kernels
from tinyflow.pipeline.quantizing import quantize
from tinyflow.pipeline.room import need_of
from tinyflow.pipeline.source import read_source, with_defaults
from tinyflow.progress import SILENT
from tinyflow.project import make_options
from tinyflow.quantize import RangeMethod
from tinyflow.targets import load_target

CORE = "cortex-m7"
NOISE_SAMPLES = 2


def count(name: str) -> Figures:
    """Parameters and multiplications, without giving any weight a value."""
    side = model_spec(name).resolution
    with torch.device("meta"):
        model, picture = build_model(name), torch.zeros(1, 3, side, side)
    with FlopCounterMode(display=False) as counter:
        model(picture)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Figures(parameters, int(counter.get_total_flops()) // 2)


def measure(name: str, arena: bool) -> Figures:
    """Everything, the arena if asked; raises TinyflowError where the model cannot be compiled."""
    options = make_options(
        {"model": name, "target": CORE, "ranges": RangeMethod.MINMAX.value}, "check"
    )
    source = read_source(options, SILENT)
    if not arena:
        need = need_of(source.canonical)
        return replace(count(name), weight_bytes=need.weight_bytes, table_bytes=need.table_bytes)
    options = replace(with_defaults(source, options), input_ranges={})
    noise = random_dataset(source.canonical, input_specs(source.canonical), count=NOISE_SAMPLES)
    graph = quantize(source, noise, options, SILENT).whole
    target = replace(load_target(CORE), board=None)
    plan = plan_kernels(graph, target, options, SILENT)
    need = need_of(graph, plan.schedule.arena_bytes)
    return replace(
        count(name),
        weight_bytes=need.weight_bytes,
        table_bytes=need.table_bytes,
        arena_bytes=need.arena_bytes,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--no-arena", action="store_true", help="do not compile the models")
    given = parser.parse_args()
    failed = 0
    for name in given.names or list_models():
        try:
            figures = measure(name, arena=not given.no_arena)
        except TinyflowError as error:
            print(f"{name}: {error.render()}", file=sys.stderr)
            figures, failed = count(name), failed + 1
        print(f"{name}: {figures}", flush=True)
        if given.write:
            known = json.loads(given.write.read_text()) if given.write.exists() else {}
            known[name] = dataclasses.asdict(figures)
            ordered = {name: known[name] for name in list_models() if name in known}
            given.write.write_text(json.dumps(ordered, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
