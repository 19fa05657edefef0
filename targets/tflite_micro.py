"""The tflite-micro package: TensorFlow Lite Micro's interpreter and kernels on this computer."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinyflow.errors import MissingExtraError, ToolError

_TOTAL = re.compile(r"Arena allocation total (\d+) bytes")
_LARGEST_ARENA = 1 << 28


def open_interpreter(model: bytes, arena_bytes: int, keep_all: bool = False) -> Any:
    """An interpreter of a .tflite file, its tensors allocated; with ``keep_all`` no tensor takes
    the place of another, so that all can be read after a run.

    Raises `MissingExtraError`, and `ToolError` where the model does not fit or has an operator
    that the package does not have.
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


def used_arena(model: bytes) -> int:
    """Bytes of its arena that the interpreter uses for a .tflite file, a multiple of 16.

    Pointers have 64 bits here, so that a microcontroller needs a little less.
    """
    interpreter = open_interpreter(model, _LARGEST_ARENA)
    with captured_stderr() as printed:
        interpreter.print_allocations()
    found = _TOTAL.search(printed())
    if found is None:
        raise ToolError(f"TensorFlow Lite Micro does not tell its arena's size: {printed()!r}")
    return -(-int(found[1]) // 16) * 16


def run_model(
    model: bytes, inputs: Sequence[np.ndarray], indices: Mapping[str, int], arena_bytes: int
) -> dict[str, np.ndarray]:
    """The tensors ``indices`` [n, ...] of a .tflite file by name, for inputs [n, ...]."""
    interpreter = open_interpreter(model, arena_bytes, keep_all=True)
    found: dict[str, list[np.ndarray]] = {name: [] for name in indices}
    for sample in range(len(inputs[0])):
        for number, array in enumerate(inputs):
            interpreter.set_input(array[sample : sample + 1], number)
        interpreter.invoke()
        for name, index in indices.items():
            found[name].append(np.array(interpreter.GetTensor(index, 0)["tensor_data"]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


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
