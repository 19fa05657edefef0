"""A set of model inputs, and labels where they are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinyflow.data.spec import InputSpec
from tinyflow.ir import Graph

RANDOM_SAMPLES = 16
RANDOM_SEED = 20


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs [n, ...] by name in the graph's layout, and class labels [n] or None.

    Inputs are float32 real numbers, or, for a source model with integer inputs, that input's
    own codes. ``random`` marks made-up data, on which no accuracy can be measured.
    """

    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    origin: str
    random: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def codes(self, graph: Graph) -> dict[str, np.ndarray]:
        """The inputs as integers of a quantized ``graph``."""
        return {
            name: array
            if array.dtype.kind in "iu"
            else graph.tensors[name].params.quantize(array, graph.tensors[name].dtype)
            for name, array in self.inputs.items()
        }

    def reals(self, graph: Graph) -> dict[str, np.ndarray]:
        """The inputs as real numbers; ``graph`` gives the meaning of codes."""
        return {
            name: array if array.dtype.kind == "f" else graph.tensors[name].params.dequantize(array)
            for name, array in self.inputs.items()
        }

    def head(self, count: int) -> Dataset:
        """The first ``count`` inputs."""
        inputs = {name: array[:count] for name, array in self.inputs.items()}
        labels = None if self.labels is None else self.labels[:count]
        return Dataset(inputs, labels, self.origin, self.random)

    @property
    def sha256(self) -> str:
        """A hash of the inputs and labels themselves, wherever they came from."""
        digest = hashlib.sha256()
        for name in sorted(self.inputs):
            _update(digest, name, self.inputs[name])
        if self.labels is not None:
            _update(digest, "labels", self.labels)
        return digest.hexdigest()


def _update(digest: hashlib._Hash, name: str, array: np.ndarray) -> None:
    digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)


def random_dataset(
    graph: Graph,
    specs: tuple[InputSpec, ...],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    count: int = RANDOM_SAMPLES,
) -> Dataset:
    """Reproducible noise: uniform in a known range, over all codes, else standard normal."""
    generator = np.random.default_rng(RANDOM_SEED)
    inputs: dict[str, np.ndarray] = {}
    for spec in specs:
        tensor = graph.tensors[spec.name]
        shape = (count, *tensor.shape[1:])
        if tensor.dtype.is_integer:
            info = np.iinfo(tensor.dtype.numpy)
            inputs[spec.name] = generator.integers(
                info.min, info.max, size=shape, dtype=tensor.dtype.numpy, endpoint=True
            )
        elif ranges and spec.name in ranges:
            lo, hi = ranges[spec.name]
            inputs[spec.name] = generator.uniform(lo, hi, size=shape).astype(np.float32)
        else:
            inputs[spec.name] = generator.standard_normal(shape, dtype=np.float32)
    return Dataset(inputs, None, "random", random=True)
