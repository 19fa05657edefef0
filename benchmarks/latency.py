"""Cycles, arena and code of models on an emulated core.

    python benchmarks/latency.py MODEL [MODEL ...] [--target T] [--board B] [options]

MODEL is whatever `tinyflow compile` takes, or the folder of a bundle, which is profiled as it is. A
float model needs --calibration DATA; `random` will do, since cycles hardly depend on the data.
Each model is compiled for the target with every goal of --optimize, its firmware is compared with
the integer reference on its test vectors, and one inference is profiled. Then the same for the
board, which may get other kernels; `--board none` leaves that out. One line for each model and
goal:

    cycles        of the target's core model with zero wait states
    with flash    where the target's flash is described: with the waits for it, and inferences/s
    arena, stack  bytes of RAM; code and tables, bytes of flash without weights
    on B          inferences/s that are predicted for the board, and the arena of its build
    exact         whether every tensor equals the integer reference, in both builds

--by-operation adds the sums over the layers of each kind. --json prints the same for machines;
--against FILE compares with what --json printed before and exits with 3 where a figure got worse.

Noise threshold: zero; it stands below the table. The emulator is deterministic and one compiler
gives one firmware, so any difference is real. Compilers of different versions are not comparable.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyflow.bundle import Bundle, read_bundle
from tinyflow.cli.console import table
from tinyflow.errors import GateError, TinyflowError
from tinyflow.pipeline import compile
from tinyflow.profile import LayerFigures, Profile, profile_bundle
from tinyflow.targets.build import model_name
from tinyflow.targets.memory import measure_memory
from tinyflow.verify import verify_bundle

NOISE = 0
"""Percent by which a figure may differ from run to run."""

GOALS = "speed,balanced,size"
BOARD = "nucleo-l4r5zi"
NO_BOARD = "none"

WATCHED = (
    "instructions",
    "cycles",
    "cycles_flash",
    "arena_bytes",
    "stack_bytes",
    "code_and_tables",
    "board_cycles_flash",
)
"""Figures that are compared with earlier ones; less is better."""


def measure(bundle: Bundle, label: str, goal: str) -> dict[str, Any]:
    """One line of the table."""
    profile = profile_bundle(bundle)
    verdict = verify_bundle(bundle, "qemu")
    memory = bundle.report["memory"]
    total = profile.total
    return {
        "model": label,
        "target": bundle.target,
        "optimize": goal,
        "macs": total.macs,
        "instructions": total.counts.instructions,
        "cycles": total.cycles,
        "cycles_flash": total.cycles_flash,
        "ms": profile.ms,
        "arena_bytes": memory["arena_bytes"],
        "stack_bytes": memory["stack_bytes"],
        "code_and_tables": code_and_tables(bundle),
        "exact": verdict.bit_exact,
        "noise_percent": NOISE,
        "board": None,
        "board_arena_bytes": None,
        "board_cycles_flash": None,
        "board_ms": None,
        "operations": operations(profile),
    }


def with_board(row: dict[str, Any], on_board: dict[str, Any]) -> dict[str, Any]:
    """The row of a core with what its board makes of the same model and goal."""
    return {
        **row,
        "board": on_board["target"],
        "board_arena_bytes": on_board["arena_bytes"],
        "board_cycles_flash": on_board["cycles_flash"],
        "board_ms": on_board["ms"],
        "exact": row["exact"] and on_board["exact"],
    }


def code_and_tables(bundle: Bundle) -> int | None:
    """Bytes in flash that are not weights, the harness included; None without a firmware."""
    elf = bundle.path / "build" / f"{model_name(bundle.path)}.elf"
    memory = bundle.report["memory"]
    if not elf.is_file():
        return None
    use = measure_memory(elf, memory["weight_bytes"], memory["table_bytes"])
    return use.code_bytes + use.table_bytes


def operations(profile: Profile) -> list[dict[str, Any]]:
    """Sums over the layers of each operation, the most expensive first."""
    groups: dict[str, list[LayerFigures]] = {}
    for layer in profile.layers:
        groups.setdefault(layer.op, []).append(layer)
    sums = [
        {
            "op": op,
            "layers": len(layers),
            "macs": sum(layer.macs for layer in layers),
            "instructions": sum(layer.counts.instructions for layer in layers),
            "cycles": sum(layer.cycles for layer in layers),
        }
        for op, layers in groups.items()
    ]
    return sorted(sums, key=lambda entry: -entry["cycles"])


def compile_and_measure(given: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for model in given.models:
        if (Path(model) / "manifest.json").is_file():
            bundle = read_bundle(Path(model))
            rows.append(measure(bundle, bundle.name, bundle.optimize))
            continue
        for goal in given.optimize.split(","):
            row = compile_for(given.target, model, goal, given.calibration)
            if given.board not in (NO_BOARD, given.target):
                row = with_board(row, compile_for(given.board, model, goal, given.calibration))
            rows.append(row)
    return rows


def compile_for(target: str, model: str, goal: str, calibration: str | None) -> dict[str, Any]:
    print(f"{model}, {goal}, {target}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"output": str(Path(folder) / "bundle"), "optimize": goal}
        if calibration is not None:
            options["calibration"] = calibration
        bundle = compile(model, target=target, **options)
        return measure(bundle, Path(model).stem, goal)


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    heads = ["model", "optimize", "instructions", "cycles", "cycles/MAC", "with flash", "inf/s"]
    heads += ["arena", "stack", "code+tables"]
    board = next((row["board"] for row in rows if row["board"]), None)
    heads += [f"inf/s on {board}", "its arena"] if board else []
    heads += ["exact"]

    def show(value: int | float | None, form: str = ",") -> str:
        return "-" if value is None else format(value, form)

    lines = [
        [
            row["model"],
            row["optimize"],
            show(row["instructions"]),
            show(row["cycles"]),
            show(row["cycles"] / row["macs"] if row["macs"] else None, ".3f"),
            show(row["cycles_flash"]),
            show(rate(row["ms"]), ".2f"),
            show(row["arena_bytes"]),
            show(row["stack_bytes"]),
            show(row["code_and_tables"]),
            *(
                [show(rate(row["board_ms"]), ".2f"), show(row["board_arena_bytes"])]
                if board
                else []
            ),
            "yes" if row["exact"] else "NO",
        ]
        for row in rows
    ]
    return f"{table(heads, lines)}\nNoise threshold: {NOISE}%"


def rate(ms: float | None) -> float | None:
    """Inferences in a second."""
    return 1000 / ms if ms else None


def by_operation(row: dict[str, Any]) -> str:
    lines = [
        [
            entry["op"],
            str(entry["layers"]),
            f"{entry['macs']:,}" if entry["macs"] else "-",
            f"{entry['instructions']:,}",
            f"{entry['cycles']:,}",
            f"{entry['cycles'] / entry['macs']:.3f}" if entry["macs"] else "-",
            f"{100 * entry['cycles'] / row['cycles']:.1f}%",
        ]
        for entry in row["operations"]
    ]
    heads = ["operation", "layers", "MACs", "instructions", "cycles", "cycles/MAC", "share"]
    return f"\n{row['model']}, {row['optimize']}\n{table(heads, lines)}"


def compare(rows: Sequence[dict[str, Any]], path: Path) -> list[str]:
    """What changed against the rows of an earlier run, one line each; worse ones say so."""
    keys = ("model", "target", "optimize")
    earlier = {tuple(row[k] for k in keys): row for row in json.loads(path.read_text())}
    lines = []
    for row in rows:
        before = earlier.get(tuple(row[k] for k in keys), {})
        for figure in WATCHED:
            old, new = before.get(figure), row[figure]
            if old is not None and new is not None and old != new:
                change = f", {100 * (new - old) / old:+.2f}%" if old else ""
                kind = "WORSE" if new > old else "better"
                where = f"{row['model']}, {row['optimize']}: {figure}"
                lines.append(f"{kind}: {where} {old:,} to {new:,}{change}")
    return lines


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--target", default="cortex-m4", metavar="T")
    parser.add_argument("--board", default=BOARD, metavar="B")
    parser.add_argument("--optimize", default=GOALS, metavar="GOAL,...")
    parser.add_argument("--calibration", metavar="DATA")
    parser.add_argument("--by-operation", action="store_true")
    parser.add_argument("--against", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    given = parse(arguments)
    try:
        rows = compile_and_measure(given)
        if given.json:
            print(json.dumps(rows, indent=1))
        else:
            print(as_table(rows))
            for row in rows if given.by_operation else ():
                print(by_operation(row))
        changes = compare(rows, given.against) if given.against else []
        for line in changes:
            print(line, file=sys.stderr)
        if any(line.startswith("WORSE") for line in changes):
            raise GateError("figures got worse", "the threshold is zero: the emulator has no noise")
    except TinyflowError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
