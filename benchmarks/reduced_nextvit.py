"""A small Next-ViT with all kinds of blocks, for boards that the published sizes do not fit.

    tinyflow compile benchmarks.reduced_nextvit:nextvit --shape x=1x3x96x96 --target cortex-m4

Groups of convolutions and heads of attention are 32 channels wide, as published; keys are pooled
from sixteen, four and one token in its last three stages. It has 1.2 million parameters, none of
them trained: they are random, but such that every branch matters.
"""

from __future__ import annotations

from torch import nn

from tinyflow.models import randomize
from tinyflow.models.nextvit import NextViT
from tinyflow.models.sizes import NextViTBlock, NextViTSize

SIZE = NextViTSize(
    stages=(
        (NextViTBlock(32),),
        (NextViTBlock(64), NextViTBlock(96, transformer=True)),
        (NextViTBlock(96), NextViTBlock(128, transformer=True)),
        (NextViTBlock(128), NextViTBlock(256, transformer=True)),
    ),
    stem=(16, 16, 32, 32),
)
RESOLUTION = 96


def nextvit() -> nn.Module:
    """Pictures [1, 3, 96, 96], normalized as ImageNet's, to logits [1, 1000]."""
    return randomize(NextViT(SIZE, resolution=RESOLUTION), seed=0)
