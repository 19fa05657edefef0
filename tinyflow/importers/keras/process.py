"""Asks TensorFlow about a model, in a process of its own.

TensorFlow writes to the terminal as it likes, keeps hundreds of megabytes for good, and brings
libraries that other packages bring in other versions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tinyflow.errors import MissingExtraError, ModelError, ToolError
from tinyflow.importers.keras.description import Description

Arrays = dict[str, np.ndarray]

_WORKER = "tinyflow.importers.keras.worker"
# No GPU: its kernels round differently, and starting one takes seconds. No oneDNN, for the same
# results on every processor.
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


class TensorFlowProcess:
    """One model, open in TensorFlow until `close`.

    Raises `MissingExtraError` without TensorFlow, `ModelError` for a model that it cannot read,
    convert or run, and `ToolError` where the process ends without an answer.
    """

    def __init__(self, path: Path) -> None:
        if find_spec("tensorflow") is None:
            raise MissingExtraError("reading a Keras model or a SavedModel", "keras")
        self.path = path
        folder = TemporaryDirectory()
        self.folder = Path(folder.name)
        places = os.pathsep.join(place for place in sys.path if place)
        with (self.folder / "messages").open("wb") as messages:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _WORKER, str(self.folder), str(path)],
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": places},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                text=True,
            )
        self._finish = weakref.finalize(self, _finish, self._process, folder)
        try:
            self.description = Description.from_json(self._answer())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> TensorFlowProcess:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; it ends by itself when this object is gone."""
        self._finish()

    def convert(self, shapes: Mapping[str, tuple[int, ...]]) -> bytes:
        """The float .tflite at batch 1; ``shapes`` fixes the shapes of inputs by their names."""
        given = {name: list(shape) for name, shape in shapes.items()}
        self._ask({"task": "convert", "shapes": given})
        return (self.folder / "model.tflite").read_bytes()

    def run(self, inputs: Mapping[str, np.ndarray], tensors: Sequence[str]) -> Arrays:
        """The outputs for arrays [n, ...], and those of ``tensors`` that are the output of a
        layer, by its path."""
        # By position: names of layers hold slashes, which are no names of files.
        ordered = [inputs[name] for name in self.description.inputs]
        np.savez(self.folder / "inputs.npz", *ordered)
        names = self._ask({"task": "run", "tensors": list(tensors)})["names"]
        with np.load(self.folder / "outputs.npz") as arrays:
            return {name: arrays[f"arr_{i}"] for i, name in enumerate(names)}

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._ended() from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ModelError(answer["error"], answer["hint"])
        return answer

    def _ended(self) -> ToolError:
        status = self._process.wait()
        text = (self.folder / "messages").read_text(errors="replace")
        said = [line.strip() for line in text.splitlines() if line.strip()]
        return ToolError(
            f"TensorFlow ended with the status {status} over {self.path}"
            + (f": {said[-1]}" if said else ""),
            "is there enough memory? TensorFlow needs about 1 GB",
        )


def _finish(process: subprocess.Popen[str], folder: TemporaryDirectory[str]) -> None:
    # The process ends with its input.
    process.communicate()
    folder.cleanup()
