"""Bytes of arena that the seed models take, beside what they should.

    python benchmarks/arena.py [NAME@RESOLUTION ...] [--target T] [--goals speed,balanced,size]

NAME is one of `tinyflow models`; without any, those for which a figure is asked. Weights are
random, and ranges come from two pictures of noise: memory depends on shapes and kernels, and hardly
on values. One line for each model and goal:

    apart    with every layer on its own
    fused    with layers fused where that helps: what `tinyflow compile` makes
    bound    what the fullest step of that plan needs at least
    asked    the most it may be
    seconds  that the plan took

Noise threshold: zero for the bytes; the emulator is not used. Exits with 3 where a figure that is
asked for is missed.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from tinyflow.cli.console import table
from tinyflow.codegen.c import (
    Goal,
    choose_variants,
    demands_of,
    features_of,
    plan_model,
    table_for,
)
from tinyflow.codegen.schedule import make_schedule
from tinyflow.importers.torch import import_module
from tinyflow.ir import Graph
from tinyflow.models import build_model, example_inputs, model_spec, randomize
from tinyflow.passes import run_passes
from tinyflow.quantize import (
    QuantizeOptions,
    RangeMethod,
    quantize_model,
)
from tinyflow.targets import Target, load_target

ASKED_KIB = {
    "tinynext_t@224": 346,
    "tinynext_s@224": 346,
    "tinynext_m@224": 346,
    "edgenext_xxs@256": 292,
    "edgenext_s@256": 582,
    "nextvit_s@224": 1184,
}
"""With the image in RAM and working memory included."""

PICTURES = 2


def quantized(name: str, resolution: int) -> Graph:
    """The model in int8, with every channel: random weights leave some dead."""
    model = randomize(build_model(name, resolution=resolution), 0)
    graph = run_passes(import_module(model, (example_inputs(model, 1),)))
    rng = np.random.default_rng(0)
    pictures = {
        tensor: rng.normal(size=(PICTURES, *graph.tensors[tensor].shape[1:])).astype(np.float32)
        for tensor in graph.inputs
    }
    options = QuantizeOptions(ranges=RangeMethod.MINMAX, bias_correction=False)
    return quantize_model(graph, pictures, options)


def measure(graph: Graph, target: Target, goal: Goal) -> tuple[int, int, int, float]:
    """Bytes apart, fused and at least, and seconds."""
    features = features_of(target)
    costs = table_for(features).cost
    flash = target.board.flash_profile if target.board else None
    choices = choose_variants(graph, features, goal, costs, flash)
    apart = make_schedule(graph, demands_of(graph, choices)).arena_bytes
    start = time.perf_counter()
    fused = plan_model(graph, features, goal, costs, flash).schedule
    seconds = time.perf_counter() - start
    return apart, fused.arena_bytes, fused.lower_bound_bytes, seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="NAME@RESOLUTION")
    parser.add_argument("--target", default="cortex-m7")
    parser.add_argument("--goals", default="balanced,size")
    arguments = parser.parse_args()
    target = load_target(arguments.target)
    rows, missed = [], False
    for entry in arguments.models or ASKED_KIB:
        name, _, size = entry.partition("@")
        graph = quantized(name, int(size) if size else model_spec(name).resolution)
        asked = ASKED_KIB.get(entry)
        for goal in map(Goal, arguments.goals.split(",")):
            apart, fused, bound, seconds = measure(graph, target, goal)
            missed |= asked is not None and fused > asked * 1024
            rows.append(
                [
                    entry,
                    goal.value,
                    f"{apart / 1024:.1f}",
                    f"{fused / 1024:.1f}",
                    f"{bound / 1024:.1f}",
                    f"{asked}" if asked is not None else "",
                    f"{seconds:.1f}",
                ]
            )
            print(*rows[-1], file=sys.stderr)
    heads = ["model", "goal", "apart KiB", "fused", "bound", "asked", "seconds"]
    print(table(heads, rows))
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
