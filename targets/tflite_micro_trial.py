"""A program that finds the smallest arenas of a .tflite file, which it reads from its input.

``python -m tinyflow.targets.tflite_micro_trial`` prints bytes for an interpreter that reuses memory
and for one that keeps all tensors. Some allocations that fail end the process, so that each trial
is a process of its own.
"""

from __future__ import annotations

import os
import sys

from tinyflow.targets.tflite_micro import GRANULE, open_interpreter

_FIRST = 1 << 12


def fits(model: bytes, arena_bytes: int, keep_all: bool) -> bool:
    """Whether the interpreter allocates its tensors in so many bytes."""
    child = os.fork()
    if child == 0:
        os.close(2)
        os.open(os.devnull, os.O_WRONLY)
        try:
            open_interpreter(model, arena_bytes, keep_all)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def search(model: bytes, keep_all: bool) -> int:
    """The least multiple of `GRANULE` that fits."""
    enough = _FIRST
    while not fits(model, enough, keep_all):
        enough *= 2
    short = 0
    while enough - short > GRANULE:
        middle = (short + enough) // 2 // GRANULE * GRANULE
        if fits(model, middle, keep_all):
            enough = middle
        else:
            short = middle
    return enough


def main() -> None:
    # Loaded before the first fork, which then has it.
    from tflite_micro.python.tflite_micro import runtime  # noqa: F401

    model = sys.stdin.buffer.read()
    print(search(model, keep_all=False), search(model, keep_all=True))


if __name__ == "__main__":
    main()
