"""The three families of seed models."""

from __future__ import annotations

from enum import Enum


class Family(Enum):
    TINYNEXT = "TinyNeXt"
    EDGENEXT = "EdgeNeXt"
    NEXTVIT = "Next-ViT"
