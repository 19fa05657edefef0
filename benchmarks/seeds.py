"""The seed models from their names to a bundle that is equal to the integer reference.

    python benchmarks/seeds.py --calibration DATA [--pictures 10] [--data DATA] \
        [--folder DIR] NAME[@RESOLUTION]:TARGET ...

For each case: `tinyflow compile NAME --target TARGET` with random weights in a process of its own,
then `tinyflow verify` on so many pictures of ``--data`` (default: those of the calibration), on
QEMU, or on this computer for the target ``host``. Prints arena, flash, seconds of the compilation,
its peak memory, and what was compared. Arena, flash and verdict do not vary; seconds do, by 20%.
Exit code 1 where a case fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """``resolution`` is None for the published one."""

    name: str
    resolution: str | None
    target: str

    @classmethod
    def parse(cls, text: str) -> Case:
        model, _, target = text.partition(":")
        name, _, resolution = model.partition("@")
        return cls(name, resolution or None, target or "host")

    @property
    def runner(self) -> str:
        return "host" if self.target == "host" else "qemu"

    def __str__(self) -> str:
        return f"{self.name}{f'@{self.resolution}' if self.resolution else ''}:{self.target}"


@dataclass(frozen=True)
class Run:
    """A finished command: its exit code, what it printed, seconds and peak resident bytes."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int


def run(arguments: list[str]) -> Run:
    """`tinyflow` in a process of its own."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "tinyflow", *arguments], stdout=out, stderr=err, text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        seconds = time.perf_counter() - start
        return Run(process.returncode, out.read(), err.read(), seconds, usage.ru_maxrss << 10)


def compile_case(case: Case, arguments: argparse.Namespace, bundle: Path) -> Run:
    size = ["--resolution", case.resolution] if case.resolution else []
    return run(
        [
            *("compile", case.name, "--target", case.target, *size, "-o", str(bundle), "--json"),
            *("--calibration", arguments.calibration, "--optimize", arguments.optimize),
        ]
    )


def verify_case(case: Case, arguments: argparse.Namespace, bundle: Path) -> Run:
    data = arguments.data or arguments.calibration
    return run(
        [
            *("verify", str(bundle), "--on", case.runner, "--data", data, "--json"),
            *("--inputs", str(arguments.pictures)),
        ]
    )


def measure(case: Case, arguments: argparse.Namespace, folder: Path) -> bool:
    """Prints a line; whether everything was equal."""
    bundle = folder / str(case).replace(":", "-").replace("@", "-")
    compiled = compile_case(case, arguments, bundle)
    if compiled.code != 0:
        print(f"{case!s:<36} {compiled.err.strip() or 'failed'}", flush=True)
        return False
    memory = json.loads((bundle / "report.json").read_text())["memory"]
    checked = verify_case(case, arguments, bundle)
    if checked.code != 0:
        print(f"{case!s:<36} {checked.err.strip() or checked.out.strip()}", flush=True)
        return False
    verdict = json.loads(checked.out)
    flash = memory["flash_bytes"]
    print(
        f"{case!s:<36} {memory['arena_bytes'] / 1024:9.1f} "
        f"{(flash or 0) / 1024 or float('nan'):9.1f} {compiled.seconds:8.1f} "
        f"{compiled.peak / 2**30:6.2f} {checked.seconds:8.1f}  "
        f"{verdict['tensors_compared']} tensors x {verdict['inputs']} inputs "
        f"{'equal' if verdict['bit_exact'] else 'DIFFER at ' + str(verdict['first_mismatch'])}",
        flush=True,
    )
    return bool(verdict["bit_exact"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Case.parse, metavar="NAME[@RESOLUTION]:TARGET")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--data")
    parser.add_argument("--pictures", type=int, default=10)
    parser.add_argument("--optimize", default="balanced")
    parser.add_argument("--folder", type=Path, help="keeps the bundles there")
    arguments = parser.parse_args()
    print(f"{'case':<36} {'arena KiB':>9} {'flash KiB':>9} {'compile':>8} {'GiB':>6} {'verify':>8}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = [measure(case, arguments, folder) for case in arguments.cases]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
