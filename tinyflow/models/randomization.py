"""Weights for tests of networks that nobody trained.

A fresh initialization leaves much of a network without effect: layer scales of 1e-6, BatchNorms
that pass their input through, biases of zero. A compiler could drop such a part and no comparison
would tell. `randomize` gives every parameter a value that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from tinyflow.models.edgenext import ConvEncoder, PositionalEncoding, SplitAttention
from tinyflow.models.nextvit import ConvolutionBlock, PooledAttention, TransformerBlock
from tinyflow.models.residual import Residual
from tinyflow.models.tinynext import Attention, FormerBlock, InvertedBottleneck, SqueezeExciteBlock

BRANCH_SHARE = 0.4
"""Root mean square of what a branch adds, relative to what it is added to."""

QUERY_GAIN = 2.5
"""Scores of attention that vary enough for some keys to matter more than others."""

QUERIES: dict[type, str] = {Attention: "linear1", PooledAttention: "q"}
"""The layer of each kind of attention that makes its queries."""

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)

LAST_LAYERS: dict[type, dict[str, tuple[str, ...]]] = {
    InvertedBottleneck: {"add": ("layers.3.weight", "layers.3.bias")},
    FormerBlock: {
        "add_attention": ("attention.1.linear2.weight",),
        "add_local": ("local.weight",),
        "add_mlp": ("mlp.1.2.weight", "mlp.1.2.bias"),
    },
    SqueezeExciteBlock: {
        "add_se": ("se.0.weight", "se.0.bias"),
        "add_local": ("local.weight",),
        "add_mlp": ("mlp.1.2.weight", "mlp.1.2.bias"),
    },
    ConvEncoder: {"add": ("gamma",)},
    PositionalEncoding: {"add": ("token_projection.weight", "token_projection.bias")},
    SplitAttention: {"add_xca": ("gamma_xca",), "add": ("gamma",)},
    ConvolutionBlock: {
        "add_mhca": ("mhca.projection.weight",),
        "add_mlp": ("mlp.conv2.weight", "mlp.conv2.bias"),
    },
    TransformerBlock: {
        "add_attention": ("e_mhsa.proj.weight", "e_mhsa.proj.bias"),
        "add_mhca": ("mhca.projection.weight",),
        "add_mlp": ("mlp.conv2.weight", "mlp.conv2.bias"),
    },
}
"""By kind of block: the addition at a branch's end, and the parameters that scale the branch."""


def example_inputs(model: nn.Module, count: int = 4, seed: int = 0) -> torch.Tensor:
    """Smooth random pictures [count, 3, side, side], prepared as the model was trained on.

    Blobs of several sizes on a random background of each picture's own contrast, so that means
    over a map differ from picture to picture as those of photographs do.
    """
    random = torch.Generator().manual_seed(seed)
    side = model.resolution
    pictures = torch.rand(count, 3, 1, 1, generator=random).expand(count, 3, side, side)
    for cells in (3, 9, 27):
        noise = torch.randn(count, 3, min(cells, side), min(cells, side), generator=random)
        contrast = 0.05 + 0.15 * torch.rand(count, 1, 1, 1, generator=random)
        pictures = pictures + contrast * nn.functional.interpolate(noise, side, mode="bilinear")
    pixels = (pictures.clamp(0, 1) * 255).round() / 255
    mean, std = (
        torch.tensor(values)[:, None, None]
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    return (pixels - mean) / std


def randomize(model: nn.Module, seed: int) -> nn.Module:
    """Gives every parameter and BatchNorm statistic a random value, in place; returns the model.

    Statistics come from `example_inputs`, disturbed; each residual branch is scaled to BRANCH_SHARE
    of what it is added to. The model is left in evaluation mode.
    """
    model.eval()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            _draw_parameters(module, random)
        _sharpen_attention(model)
        sample = example_inputs(model, seed=seed)
        disturbances = _draw_disturbances(model, random)
        # Scaling a branch changes the input of the BatchNorms inside it: a second run measures
        # their statistics again.
        for balance in (True, False):
            _settle(model, sample, disturbances, balance)
    return model


def _draw_parameters(module: nn.Module, random: torch.Generator) -> None:
    norm = isinstance(module, (*BATCH_NORMS, nn.LayerNorm))
    for name, parameter in module.named_parameters(recurse=False):
        if name == "temperature":
            parameter.uniform_(3, 8, generator=random)
        elif name in ("gamma", "gamma_xca") or (norm and name == "weight"):
            parameter.uniform_(0.5, 1.5, generator=random)
        elif name == "bias":
            parameter.normal_(0, 0.2, generator=random)
        else:
            parameter.normal_(0, parameter[0].numel() ** -0.5, generator=random)


def _sharpen_attention(model: nn.Module) -> None:
    for module in model.modules():
        if type(module) in QUERIES:
            getattr(module, QUERIES[type(module)]).weight.mul_(QUERY_GAIN)


Disturbances = dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]


def _draw_disturbances(model: nn.Module, random: torch.Generator) -> Disturbances:
    """For each BatchNorm: shifts of its mean in deviations, and factors of its variance."""
    return {
        module: (
            torch.empty(module.num_features).normal_(0, 0.2, generator=random),
            torch.empty(module.num_features).uniform_(0.5, 2, generator=random),
        )
        for module in model.modules()
        if isinstance(module, BATCH_NORMS)
    }


def branches(model: nn.Module) -> Iterator[tuple[str, Residual, list[nn.Parameter]]]:
    """Each residual branch: its name, its addition, and the parameters that scale it."""
    for name, block in model.named_modules():
        for addition, parameters in LAST_LAYERS.get(type(block), {}).items():
            module = getattr(block, addition)
            if module is not None:
                scaling = [block.get_parameter(parameter) for parameter in parameters]
                yield f"{name}.{addition}", module, scaling


def _settle(
    model: nn.Module, sample: torch.Tensor, disturbances: Disturbances, balance: bool
) -> None:
    """One run that sets every BatchNorm's statistics and, if asked, every branch's size."""
    hooks = [
        norm.register_forward_pre_hook(_statistics_hook(*disturbance))
        for norm, disturbance in disturbances.items()
    ]
    if balance:
        hooks += [
            addition.register_forward_pre_hook(_balance_hook(scaling))
            for _, addition, scaling in branches(model)
        ]
    model(sample)
    for hook in hooks:
        hook.remove()


def _statistics_hook(shift: torch.Tensor, factor: torch.Tensor) -> Callable[..., None]:
    def measure(norm: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        values = inputs[0].transpose(0, 1).flatten(1)
        variance = values.var(1, correction=0)
        variance = variance.clamp(min=0.01 * float(variance.mean()) + 1e-6)
        norm.running_mean.copy_(values.mean(1) + shift * variance.sqrt())
        norm.running_var.copy_(variance * factor)

    return measure


def _balance_hook(scaling: list[nn.Parameter]) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    def balance(
        _: nn.Module, inputs: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        x, branch = inputs
        factor = BRANCH_SHARE * root_mean_square(x) / root_mean_square(branch)
        for parameter in scaling:
            parameter.mul_(factor)
        return x, branch * factor

    return balance


def root_mean_square(x: torch.Tensor) -> float:
    return float(x.square().mean().sqrt())
