"""What every float runtime of a source model offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from tinyflow.errors import DataError

Arrays = dict[str, np.ndarray]


class SourceRuntime(ABC):
    """A model in the runtime that it was made for.

    ``name`` is the runtime and its version, for people. ``inputs`` and ``outputs`` have the names
    that the importer gives them, in the same order. ``deviation`` says in words why the runtime
    computes something else than the model states, where it is known to; else it is empty.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    deviation: str = ""

    def run(self, inputs: Mapping[str, np.ndarray], tensors: Sequence[str] = ()) -> Arrays:
        """The outputs, and those of ``tensors`` that the runtime knows by name.

        Arrays are [n, ...] in the source's layout, in the element type that the model takes and
        gives. Every sample runs on its own, at batch 1. Raises `DataError` where ``inputs`` are
        not the model's.
        """
        self._check(inputs)
        return self._run(dict(inputs), tuple(tensors))

    def _check(self, inputs: Mapping[str, np.ndarray]) -> None:
        if set(inputs) != set(self.inputs):
            raise DataError(
                f"the model takes the inputs {_listed(self.inputs)}, given were {_listed(inputs)}"
            )
        counts = {len(array) for array in inputs.values()}
        if len(counts) != 1 or counts == {0}:
            raise DataError(f"the inputs hold {sorted(counts)} samples", "give the same number")

    @abstractmethod
    def _run(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        """As `run`, for inputs that are checked."""


class SampleRuntime(SourceRuntime):
    """A runtime that takes one sample at a time."""

    def _run(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        samples = [
            self._run_one({n: inputs[n][i : i + 1] for n in self.inputs}, tensors)
            for i in range(len(inputs[self.inputs[0]]))
        ]
        return {name: np.concatenate([s[name] for s in samples]) for name in samples[0]}

    @abstractmethod
    def _run_one(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        """As `run`, for one sample."""


def _listed(names: Mapping[str, np.ndarray] | Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
