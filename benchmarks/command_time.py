"""Wall-clock time of the commands that people wait for.

    python benchmarks/command_time.py MODEL [--runs 5] [options of tinyflow compile]

Prints the median, least and most seconds of ``tinyflow --help`` and of ``tinyflow compile MODEL
--no-run``, each in a process of its own. Noise threshold: 20% on a machine that does nothing
else; compare medians of at least five runs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure(arguments: list[str], runs: int) -> list[float]:
    """Seconds of each run of the command line; a failing one ends the benchmark."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tinyflow", *arguments], check=True, capture_output=True
        )
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        compile_ = ["compile", str(arguments.model), "--no-run", "-o", f"{folder}/bundle"]
        commands = {
            "--help": ["--help"],
            "compile --help": ["compile", "--help"],
            f"compile {arguments.model.name}": [*compile_, *options],
        }
        print(f"{'command':<40} {'median':>8} {'least':>8} {'most':>8}  seconds")
        for title, command in commands.items():
            seconds = measure(command, arguments.runs)
            figures = (statistics.median(seconds), min(seconds), max(seconds))
            print(f"{title:<40} " + " ".join(f"{s:8.2f}" for s in figures))


if __name__ == "__main__":
    main()
