"""A model that TensorFlow has read, whatever file it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import tensorflow as tf

from tinyflow.importers.keras.description import Description, KerasLayer


@dataclass(frozen=True)
class Input:
    """``shape`` has None where a size is open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: Any


@dataclass(frozen=True)
class OpenModel:
    """``call`` takes tensors in the order of ``inputs`` and gives those of ``outputs``;
    ``observe`` gives the outputs of layers as well, by their paths."""

    runtime: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    call: Callable[[Sequence[tf.Tensor]], Sequence[tf.Tensor]]
    keeper: tf.Module
    """Owns the variables."""
    layers: tuple[KerasLayer, ...] = ()
    observe: Callable[[Sequence[str]], tuple[list[str], Callable[..., Any]]] = field(
        default=lambda _: ([], lambda _: [])
    )

    def description(self) -> dict[str, Any]:
        inputs = tuple(i.name for i in self.inputs)
        return asdict(Description(self.runtime, inputs, self.outputs, self.layers))
