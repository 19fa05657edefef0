"""Count the instructions and cycles of one inference, layer by layer, or time it on a computer.

Cycles come from a model of the core and, for a board, of its flash; what they were held against
stands below the table. The figures also go into the bundle's report.json and report.html. Without
--inputs the bundle's first test vector is run; several inputs give their mean.

--on ssh:USER@HOST builds the bundle on that computer, runs it there and gives the median and the
95th percentile of what inferences take, with the computer's power mode and clocks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tinyflow.cli.arguments import add_bundle
from tinyflow.cli.console import Console, table

if TYPE_CHECKING:
    from tinyflow.profile import LayerFigures, Profile, Timed

HELP = "count a bundle's cycles, layer by layer, or time it"

RUNNERS = "qemu (default) or ssh:USER@HOST[:PORT]"
TIMED = "ssh:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_bundle(parser)
    parser.add_argument("--on", metavar="RUNNER", default="qemu", help=RUNNERS)
    parser.add_argument("--inputs", metavar="FILE", type=Path, help="inputs: .npy or .npz")
    parser.add_argument("--raw", action="store_true", help="the inputs are the model's integers")


def run(arguments: argparse.Namespace, console: Console) -> int:
    from tinyflow.bundle import read_bundle
    from tinyflow.profile import profile_bundle, time_bundle
    from tinyflow.report import add_latency, add_profile
    from tinyflow.verify import load_inputs

    bundle = read_bundle(arguments.bundle)
    inputs = None
    if arguments.inputs is not None:
        inputs = load_inputs(bundle, arguments.inputs, raw=arguments.raw)
    if arguments.on.startswith(TIMED):
        timed = time_bundle(bundle, arguments.on, inputs, progress=console)
        add_latency(bundle.path, timed.latency_json())
        console.result(describe_timed(timed), timed.to_json())
        return 0
    profile = profile_bundle(bundle, arguments.on, inputs, progress=console)
    document = profile.to_json()
    add_profile(bundle.path, document)
    console.result(describe(profile), document)
    return 0


def describe_timed(timed: Timed) -> str:
    """The measurement and what is to be known about it."""
    found = timed.latency
    return (
        f"{found.median:.4g} ms median, {found.p95:.4g} ms at the 95th percentile, "
        f"{min(found.times):.4g} ms at least\n{timed.conditions}"
    )


def describe(profile: Profile) -> str:
    """The table of layers and what is to be known about it."""
    waits = profile.total.cycles_flash is not None
    heads = ["layer", "operation", "MACs", "instructions", "cycles"]
    heads += ["with flash"] if waits else []
    heads += ["cycles/MAC", "share"]
    named = [
        *((layer.name, layer) for layer in profile.layers),
        ("(outside of layers)", profile.rest),
        ("total", profile.total),
    ]
    whole = profile.total.best_cycles
    rows = [_row(name, figures, whole, waits) for name, figures in named]
    return "\n".join([table(heads, rows), "", *_notes(profile)])


def _row(name: str, figures: LayerFigures, whole: int, waits: bool) -> list[str]:
    ratio = figures.cycles_per_mac
    return [
        name,
        figures.op,
        f"{figures.macs:,}" if figures.macs else "-",
        f"{figures.counts.instructions:,}",
        f"{figures.cycles:,}",
        *([f"{figures.cycles_flash:,}"] if waits else []),
        "-" if ratio is None else f"{ratio:.2f}",
        f"{100 * figures.best_cycles / max(whole, 1):.1f}%",
    ]


def _notes(profile: Profile) -> list[str]:
    counts = profile.total.counts
    lines = [f"{counts.taken_branches:,} taken branches, {counts.flash_loads:,} loads from flash"]
    if profile.total.cycles_flash is not None:
        lines[0] += f", {counts.cache_misses:,} misses of the instruction cache"
    if profile.inputs > 1:
        lines.append(
            f"mean of {profile.inputs} inputs; the slowest takes {profile.most_cycles:,} cycles"
        )
    if profile.ms is not None and profile.clock_hz is not None:
        clock = profile.clock_hz / 1e6
        lines.append(f"{profile.ms:.2f} ms at {clock:g} MHz, {1000 / profile.ms:.2f} inferences/s")
    kind = "modelled" if profile.calibrated else "ESTIMATED"
    return [*lines, f"cycles are {kind}: {profile.calibration}"]
