"""Keras models (.keras, .h5) and SavedModel folders, converted by TensorFlow in a process of its
own and imported from the float .tflite that this gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tinyflow.errors import UnsupportedError
from tinyflow.importers.keras.names import Naming
from tinyflow.importers.keras.process import TensorFlowProcess
from tinyflow.importers.keras.refused import obstacles
from tinyflow.importers.tflite import from_bytes
from tinyflow.ir import Graph

__all__ = ["load", "load_open"]


def load(path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Graph:
    """The float graph of a Keras file or SavedModel folder, at batch 1.

    ``shapes`` fixes the shapes of inputs by their Keras names. Layers have their Keras names, and
    each tensor that a Keras layer gives has the name of that layer. Raises `MissingExtraError`
    without TensorFlow, `ModelError` for what TensorFlow cannot read, and `UnsupportedError` with
    every layer that cannot be compiled.
    """
    with TensorFlowProcess(path) as tensorflow:
        return load_open(tensorflow, shapes)


def load_open(
    tensorflow: TensorFlowProcess, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> Graph:
    """As `load`, of a model that TensorFlow has open."""
    path = tensorflow.path
    naming = Naming(tensorflow.description)
    try:
        graph = from_bytes(tensorflow.convert(shapes or {}), path.stem, str(path))
    except UnsupportedError as error:
        raise UnsupportedError(obstacles(error.obstacles, naming), error.hint) from None
    return naming.apply(graph)
