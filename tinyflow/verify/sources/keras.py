"""Keras models and SavedModel folders in TensorFlow, in a process of its own."""

from __future__ import annotations

from pathlib import Path

from tinyflow.importers.keras.process import TensorFlowProcess
from tinyflow.verify.sources.runtime import Arrays, SourceRuntime


class KerasRuntime(SourceRuntime):
    """A .keras or .h5 file or a SavedModel folder; a tensor has the name of the layer that gives
    it. TensorFlow runs until the object is gone."""

    def __init__(self, path: Path) -> None:
        self.process = TensorFlowProcess(path)
        self.name = self.process.description.runtime
        self.inputs = self.process.description.inputs
        self.outputs = self.process.description.outputs

    def _run(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        return self.process.run(inputs, tensors)
