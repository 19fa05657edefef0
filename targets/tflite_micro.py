"""The tflite-micro package: TensorFlow Lite Micro's interpreter and kernels on this computer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyflow.errors import MissingExtraError, ToolError

GRANULE = 64
LARGE_ARENA = 1 << 30
"""Bytes: address space, of which only what the interpreter writes takes memory."""


def open_interpreter(model: bytes, arena_bytes: int = LARGE_ARENA, keep_all: bool = False) -> Any:
    """An interpreter of a .tflite file, its tensors allocated; with ``keep_all`` no tensor takes
    the place of another, so that all can be read after a run.

    The arena must be large enough: an allocation that fails may end the process. Raises
    `MissingExtraError`, and `ToolError` for an operator that the package does not have.
    """
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        raise MissingExtraError("running TensorFlow Lite Micro", "tflite") from None
    config = runtime.InterpreterConfig
    kind = config.kPreserveAllTensors if keep_all else config.kAllocationRecording
    with captured_stderr() as printed:
        try:
            # The misspelt keyword is the package's own.
            return runtime.Interpreter.from_bytes(
                model, arena_size=arena_bytes, intrepreter_config=kind
            )
        except RuntimeError as error:
            reason = str(error)
    raise ToolError(f"TensorFlow Lite Micro refuses the model: {reason}\n{printed()}")


def least_arenas(model: bytes) -> tuple[int, int]:
    """Bytes of the smallest arena in which the interpreter allocates the tensors of a .tflite
    file, to `GRANULE` bytes; and of one in which no tensor takes the place of another.

    Found by trying, in a process of its own. Pointers have 64 bits here and the interpreter of the
    package records what it does, so that a microcontroller needs less. Raises as
    `open_interpreter` does.
    """
    open_interpreter(model)
    command = [sys.executable, "-m", "tinyflow.targets.tflite_micro_trial"]
    answer = subprocess.run(command, input=model, capture_output=True, check=False)
    if answer.returncode != 0:
        raise ToolError(f"no arena was found to be large enough\n{answer.stderr.decode()}")
    plain, keep_all = answer.stdout.split()
    return int(plain), int(keep_all)


@contextmanager
def captured_stderr() -> Iterator[Any]:
    """What C code prints on stderr; the context is a function that returns it afterwards."""
    sys.stderr.flush()
    text = ""
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: text
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            text = file.read().decode(errors="replace").strip()
