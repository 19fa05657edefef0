"""Reduced members of the three families, with every kind of block, for tests on small machines."""

from __future__ import annotations

from typing import Any

from tinyflow.models import build_network, randomize
from tinyflow.models.registry import Size
from tinyflow.models.sizes import EdgeNeXtSize, NextViTBlock, NextViTSize, TinyNeXtSize

REDUCED: dict[str, Size] = {
    "tinynext": TinyNeXtSize((8, 16, 24, 32), (1, 1, 2, 1)),
    "edgenext": EdgeNeXtSize((8, 16, 24, 32), (1, 2, 1, 2), heads=4),
    "edgenext_bn_hs": EdgeNeXtSize((8, 16, 24, 32), (1, 2, 1, 2), heads=4, batch_norm=True),
    "nextvit": NextViTSize(
        stem=(16, 8, 16, 16),
        stages=(
            (NextViTBlock(16),),
            (NextViTBlock(24), NextViTBlock(32, transformer=True)),
            (NextViTBlock(48), NextViTBlock(64, transformer=True)),
            (NextViTBlock(72), NextViTBlock(96, transformer=True)),
        ),
        group=8,
    ),
}


def reduced_model(family: str, resolution: int = 64, classes: int = 10, seed: int = 1) -> Any:
    """A randomized network of REDUCED in evaluation mode."""
    return randomize(build_network(REDUCED[family], classes, resolution), seed)
