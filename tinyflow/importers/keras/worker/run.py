"""A model on a batch of inputs, in TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tinyflow.importers.keras.worker.model import OpenModel
from tinyflow.importers.keras.worker.refusal import Refusal, first_line


def run(model: OpenModel, folder: Path, tensors: Sequence[str]) -> list[str]:
    """Reads inputs.npz, whose arrays stand in the order of the model's inputs; writes outputs.npz
    and gives the names of its arrays. Raises `Refusal`."""
    with np.load(folder / "inputs.npz") as arrays:
        given = [arrays[f"arr_{i}"] for i in range(len(model.inputs))]
    inner, observe = model.observe([t for t in tensors if t not in model.outputs])
    titles = [*model.outputs, *inner]
    parts: list[list[np.ndarray]] = [[] for _ in titles]
    for sample in range(len(given[0])):
        one = [tf.constant(array[sample : sample + 1]) for array in given]
        try:
            results = [*model.call(one), *observe(one)]
        # The layers' own code runs here.
        except Exception as error:
            raise Refusal(f"TensorFlow cannot run it ({first_line(error)})") from None
        for part, value in zip(parts, results, strict=True):
            part.append(value.numpy())
    np.savez(folder / "outputs.npz", *(np.concatenate(part) for part in parts))
    return titles
