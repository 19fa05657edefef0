"""What TensorFlow's process tells about a model, as JSON on the way and as records here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KerasLayer:
    """A layer. ``path`` is its name behind those of the models around it, joined by slashes;
    ``kind`` is its class; ``inbound`` are the paths of the layers that it reads. ``has_kernel``:
    it multiplies by weights, as convolutions and dense layers do."""

    path: str
    kind: str
    inbound: tuple[str, ...]
    has_kernel: bool


@dataclass(frozen=True)
class Description:
    """A model. ``layers`` is empty for a SavedModel, which keeps none.

    ``runtime`` names TensorFlow, and Keras where it read the model, with their versions.
    """

    runtime: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layers: tuple[KerasLayer, ...] = ()

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Description:
        layers = tuple(
            KerasLayer(**{**entry, "inbound": tuple(entry["inbound"])}) for entry in data["layers"]
        )
        return Description(data["runtime"], tuple(data["inputs"]), tuple(data["outputs"]), layers)
