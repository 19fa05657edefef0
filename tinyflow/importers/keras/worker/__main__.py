"""Opens one model and answers requests about it, a line of JSON each, until its input ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tinyflow.importers.keras.worker.convert import convert
from tinyflow.importers.keras.worker.model import OpenModel
from tinyflow.importers.keras.worker.open import open_model
from tinyflow.importers.keras.worker.refusal import Refusal
from tinyflow.importers.keras.worker.run import run


def main(folder: Path, path: Path) -> None:
    # TensorFlow prints to the standard output, which then goes where its errors go.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(make: Callable[[], dict[str, Any]]) -> None:
        print(json.dumps(_refused(make)), file=answers, flush=True)

    models: list[OpenModel] = []
    answer(lambda: _open(path, models))
    for line in sys.stdin:
        request = json.loads(line)
        answer(partial(_TASKS[request["task"]], models[0], folder, request))


def _refused(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``make`` gives, or why it does not."""
    try:
        return make()
    except Refusal as refusal:
        return {"error": str(refusal), "hint": refusal.hint}


def _open(path: Path, models: list[OpenModel]) -> dict[str, Any]:
    models.append(open_model(path))
    return models[0].description()


def _convert(model: OpenModel, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    (folder / "model.tflite").write_bytes(convert(model, request["shapes"]))
    return {}


def _run(model: OpenModel, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    return {"names": run(model, folder, request["tensors"])}


_TASKS = {"convert": _convert, "run": _run}

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
