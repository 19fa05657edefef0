"""One quantized model, three ways: our C, TVM's C and TensorFlow Lite Micro, on an emulated core.

    python benchmarks/side_by_side.py MODEL [MODEL ...] [--target T] [--optimize GOAL]
        [--calibration DATA] [--tflite-micro DIR [--cmsis-nn DIR]] [--json]

MODEL is whatever `tinyflow compile` takes; a float model needs --calibration DATA. Every model is
compiled with each of these, all from the same integers:

    c            our kernels for the core, and the plan of memory that the goal asks for
    tvm          kernels that TVM prints from TensorIR, in our schedule and arena
    tflm         TensorFlow Lite Micro with its reference kernels, where --tflite-micro names a
                 checkout of it
    tflm, cmsis  the same with CMSIS-NN's kernels, where --cmsis-nn names one of that, too

The firmware is compared with the integer reference on its test vectors, and one inference is
profiled, which gives one line each:

    instructions, cycles   of one inference; cycles of the core model with zero wait states
    ratio                  cycles, over those of our C
    arena, RAM             bytes: working memory; all static memory and the stack
    code, flash            bytes: flash without weights and tables; all of it, the harness included
    exact                  whether every tensor equals the integer reference

The code of TensorFlow Lite Micro includes its interpreter and the part of the C++ library that it
needs. Its arena is sized on a computer with 64-bit pointers: a core needs a little less.

Noise threshold: zero. The emulator is deterministic and one compiler gives one firmware, so any
difference is real. Compilers of different versions are not comparable.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinyflow.bundle import Bundle
from tinyflow.cli.console import table
from tinyflow.errors import TinyflowError, VerifyError
from tinyflow.pipeline import compile
from tinyflow.targets.build_tflite_micro import CMSIS_NN, DIRECTORY
from tinyflow.targets.profiler import profile_firmware
from tinyflow.verify.inference import test_vectors

OURS = "c"


@dataclass(frozen=True)
class Way:
    """A backend, and what the environment says while it works."""

    name: str
    backend: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One line of the table. Bytes are None where they were not measured; ``exact`` is None
    where nothing was compared. ``unknown`` are executed instructions that the core model does not
    know, each of which counts as one cycle."""

    model: str
    target: str
    way: str
    instructions: int
    cycles: int
    unknown: int
    arena_bytes: int | None
    ram_bytes: int | None
    code_bytes: int | None
    flash_bytes: int | None
    exact: bool | None


def ways(given: argparse.Namespace) -> list[Way]:
    found = [Way(OURS, "c"), Way("tvm", "tvm")]
    if given.tflite_micro is not None:
        checkout = {DIRECTORY: str(given.tflite_micro.resolve())}
        found.append(Way("tflm", "tflm", checkout))
        if given.cmsis_nn is not None:
            kernels = {CMSIS_NN: str(given.cmsis_nn.resolve())}
            found.append(Way("tflm, cmsis", "tflm", checkout | kernels))
    return found


def compare(given: argparse.Namespace) -> list[Row]:
    """The first way quantizes; the others take its integers."""
    rows = []
    for model in given.models:
        with tempfile.TemporaryDirectory() as folder:
            source, options = model, {"calibration": given.calibration}
            for number, way in enumerate(ways(given)):
                print(f"{model}, {way.name}", file=sys.stderr, flush=True)
                output = Path(folder) / str(number)
                with _environment(way.environment):
                    bundle = compile(
                        source,
                        target=given.target,
                        backend=way.backend,
                        optimize=given.optimize,
                        output=output,
                        **{name: value for name, value in options.items() if value},
                    )
                    rows.append(measure(bundle, Path(model).stem, way))
                source, options = str(Path(folder) / "0" / "model.tfq"), {"name": bundle.name}
    return rows


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """With these variables, and none of a checkout that they do not name."""
    before = dict(os.environ)
    for name in (DIRECTORY, CMSIS_NN):
        os.environ.pop(name, None)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure(bundle: Bundle, model: str, way: Way) -> Row:
    """Of a bundle whose firmware was built."""
    roots = {f"{bundle.name}_run", "main"}
    done = profile_firmware(bundle, test_vectors(bundle).head(1).codes(bundle.graph), roots)
    (inference,) = done.inferences
    memory = bundle.report["memory"]
    return Row(
        model=model,
        target=bundle.target,
        way=way.name,
        instructions=inference.total.instructions,
        cycles=inference.total.cycles,
        unknown=sum(each.times for each in inference.unknown),
        arena_bytes=memory["arena_bytes"],
        ram_bytes=memory["ram_bytes"],
        code_bytes=memory["code_bytes"],
        flash_bytes=memory["flash_bytes"],
        exact=_exact(bundle.report["verify"]),
    )


def _exact(verdicts: Sequence[Mapping[str, Any]]) -> bool | None:
    """On the emulator."""
    found = [verdict["bit_exact"] for verdict in verdicts if verdict["runner"] == "qemu"]
    return all(found) if found else None


def as_table(rows: Sequence[Row]) -> str:
    heads = ["model", "", "instructions", "cycles", "ratio", "arena", "RAM", "code", "flash"]
    ours = {row.model: row.cycles for row in rows if row.way == OURS}

    def show(value: int | None) -> str:
        return "-" if value is None else f"{value:,}"

    lines = [
        [
            row.model,
            row.way,
            show(row.instructions),
            show(row.cycles),
            f"{row.cycles / ours[row.model]:.2f}",
            show(row.arena_bytes),
            show(row.ram_bytes),
            show(row.code_bytes),
            show(row.flash_bytes),
            {True: "yes", False: "NO", None: "-"}[row.exact],
        ]
        for row in rows
    ]
    notes = [
        f"{row.model}, {row.way}: {row.unknown:,} instructions that the core model does not know"
        for row in rows
        if row.unknown
    ]
    return "\n".join([table([*heads, "exact"], lines), *notes, "Noise threshold: 0%"])


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--target", default="cortex-m4", metavar="T")
    parser.add_argument("--optimize", default="balanced", metavar="GOAL")
    parser.add_argument("--calibration", metavar="DATA")
    parser.add_argument("--tflite-micro", type=Path, metavar="DIR")
    parser.add_argument("--cmsis-nn", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.cmsis_nn is not None and given.tflite_micro is None:
        parser.error("--cmsis-nn needs --tflite-micro: its kernels run in that interpreter")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    given = parse(arguments)
    try:
        rows = compare(given)
        print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else as_table(rows))
        if any(row.exact is False for row in rows):
            raise VerifyError("a firmware differs from the integer reference", "this is a bug")
    except TinyflowError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
