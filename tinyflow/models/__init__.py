"""The seed models in PyTorch: TinyNeXt, EdgeNeXt and Next-ViT, and SSDLite and DeepLabv3 on them.

Names and sizes are known without PyTorch; it is imported when a model is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyflow.models.registry import ModelSpec, build_model, build_network, list_models, model_spec

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import nn

__all__ = [
    "ModelSpec",
    "build_model",
    "build_network",
    "example_inputs",
    "list_models",
    "load_checkpoint",
    "model_spec",
    "randomize",
]


def randomize(model: nn.Module, seed: int) -> nn.Module:
    """Gives every parameter a random value that matters: `tinyflow.models.randomization`."""
    from tinyflow.models import randomization

    return randomization.randomize(model, seed)


def example_inputs(model: nn.Module, count: int = 4, seed: int = 0) -> torch.Tensor:
    """Random pictures that a model takes: `tinyflow.models.randomization`."""
    from tinyflow.models import randomization

    return randomization.example_inputs(model, count, seed)


def load_checkpoint(model: nn.Module, path: str | Path, weights: str | None = None) -> nn.Module:
    """Fills a model with the weights of a file: `tinyflow.models.checkpoints`."""
    from tinyflow.models import checkpoints

    return checkpoints.load_checkpoint(model, path, weights)
