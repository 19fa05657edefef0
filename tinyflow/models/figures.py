"""What each model of the catalogue takes, measured by `benchmarks/models.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

FIGURES = "figures.json"


@dataclass(frozen=True)
class Figures:
    """Of a model at its published resolution and number of classes.

    ``macs`` counts multiplications of convolutions, linear layers and attention. ``weight_bytes``
    and ``table_bytes`` are the constants of the int8 network, ``arena_bytes`` the memory of its
    activations with the kernels of a Cortex-M7, the picture included; None where the model cannot
    be compiled yet.
    """

    parameters: int
    macs: int
    weight_bytes: int | None = None
    table_bytes: int | None = None
    arena_bytes: int | None = None

    @property
    def int8_bytes(self) -> int | None:
        if self.weight_bytes is None or self.table_bytes is None:
            return None
        return self.weight_bytes + self.table_bytes


def load_figures() -> Mapping[str, Figures]:
    """By model name."""
    text = (files("tinyflow.models") / FIGURES).read_text()
    return {name: Figures(**values) for name, values in json.loads(text).items()}
