"""Seconds and memory of compiling a large network, stage by stage.

    python benchmarks/compile_time.py tinynext_t --samples 100 --limit-seconds 120 --limit-gib 6
    python benchmarks/compile_time.py nextvit_l --target host --samples 4 --limit-gib 8 --no-run

Runs ``tinyflow compile MODEL --target stm32h743`` in a process of its own on made-up pictures
(smooth, so that the layers behind see what they see of photographs) and prints how long each stage
took, the whole, and the peak resident memory of TinyFlow and of the compilers that it starts. The
emulated run, which proves the firmware, is part of it. Other options go to ``tinyflow compile``.
Exit code 1 where a limit is exceeded. Noise threshold: 15% on a machine that does nothing else; on
a busy one the seconds mean little, the memory stays the same.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def pictures(path: Path, count: int, resolution: int) -> Path:
    """uint8 pictures [count, 3, resolution, resolution]: random tiles with a little noise."""
    rng = np.random.default_rng(0)
    tiles = rng.normal(128, 50, (count, 3, 14, 14))
    repeats = -(-resolution // 14)
    smooth = tiles.repeat(repeats, axis=2).repeat(repeats, axis=3)[..., :resolution, :resolution]
    noisy = smooth + rng.normal(0, 10, smooth.shape)
    np.savez(path, x=np.clip(noisy, 0, 255).astype(np.uint8))
    return path


def watch(command: list[str]) -> tuple[list[tuple[str, float]], float]:
    """Runs a command; the stages that it announces on stderr with their seconds, and all seconds.

    A failing command ends the benchmark.
    """
    start = now = time.perf_counter()
    stages: list[tuple[str, float]] = []
    title = "Starting"
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith(("note:", "hint:", "error:")) or not line.strip():
                continue
            stages.append((title, time.perf_counter() - now))
            title, now = line.strip(), time.perf_counter()
    if process.returncode:
        sys.exit("".join(lines))
    return [*stages, (title, time.perf_counter() - now)], time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--target", default="stm32h743")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--limit-seconds", type=float)
    parser.add_argument("--limit-gib", type=float)
    arguments, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        data = pictures(Path(folder) / "pictures.npz", arguments.samples, arguments.resolution)
        command = [sys.executable, "-m", "tinyflow", "compile", arguments.model]
        command += ["--target", arguments.target, "--calibration", str(data)]
        stages, seconds = watch([*command, "-o", f"{folder}/bundle", *options])
    for title, taken in stages:
        print(f"{taken:8.1f} s  {title}")
    # ru_maxrss counts KiB on Linux: the most that any one of the finished processes held.
    gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{seconds:8.1f} s  in all; {gib:.2f} GiB at most")
    too_long = arguments.limit_seconds is not None and seconds > arguments.limit_seconds
    too_large = arguments.limit_gib is not None and gib > arguments.limit_gib
    return int(too_long or too_large)


if __name__ == "__main__":
    sys.exit(main())
