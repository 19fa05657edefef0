"""TinyNeXt (T, S, M): inverted bottlenecks, single-head attention and squeeze-excite blocks.

Parameters have the names of the authors' checkpoints.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn

from tinyflow.models.family import Family
from tinyflow.models.preprocessing import PIXEL_LESS_128
from tinyflow.models.residual import Residual
from tinyflow.models.sizes import TinyNeXtSize


def conv_norm_relu(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias that keeps the map's size at stride 1, BatchNorm, ReLU."""
    conv = nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


class InvertedBottleneck(nn.Module):
    """Expand by 1x1, filter by 3x3 per channel, project by 1x1; "MV2" of the paper.

    Takes [batch, inputs, H, W] and gives [batch, outputs, H / stride, W / stride]. With
    ``residual`` the input is added, nothing follows the addition.
    """

    def __init__(
        self, inputs: int, hidden: int, outputs: int, stride: int = 1, residual: bool = True
    ) -> None:
        super().__init__()
        self.add = Residual() if residual else None
        self.layers = nn.Sequential(
            conv_norm_relu(inputs, hidden, 1),
            conv_norm_relu(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layers(x)
        return y if self.add is None else self.add(x, y)


class Attention(nn.Module):
    """One head over all channels; the tokens are their own keys and nothing projects the output.

    ``softmax(Q t^T / sqrt(C)) V`` for tokens t [batch, H * W, C] in raster order, with
    Q = linear1(t) and V = linear2(t). Map in, map out: [batch, C, H, W].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = width**-0.5
        self.linear1 = nn.Linear(width, width, bias=False)
        self.linear2 = nn.Linear(width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        scores = self.linear1(tokens) @ tokens.transpose(-2, -1) * self.scale
        mixed = scores.softmax(dim=-1) @ self.linear2(tokens)
        return mixed.transpose(1, 2).reshape(x.shape)


class SqueezeExcite(nn.Module):
    """``u * hard_sigmoid(W2 relu(BN(W1 mean(u))))`` on [batch, C, H, W]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = max(width // 4, 8)
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, width, 1, bias=False),
            nn.Hardsigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.se(x)


class LocalMlpBlock(nn.Module):
    """What blocks of stages 3 and 4 share behind their mixer: a 3x3 depthwise layer and an MLP."""

    def __init__(self, width: int, ratio: float) -> None:
        super().__init__()
        hidden = int(width * ratio)
        self.add_local, self.add_mlp = Residual(), Residual()
        self.local = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.mlp = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.Sequential(nn.Conv2d(width, hidden, 1), nn.GELU(), nn.Conv2d(hidden, width, 1)),
        )

    def behind_mixer(self, x: torch.Tensor) -> torch.Tensor:
        x = self.add_local(x, self.local(x))
        return self.add_mlp(x, self.mlp(x))


class FormerBlock(LocalMlpBlock):
    """Attention, depthwise layer and MLP, each added to its input."""

    def __init__(self, width: int, ratio: float) -> None:
        super().__init__(width, ratio)
        self.attention = nn.Sequential(nn.BatchNorm2d(width), Attention(width))
        self.add_attention = Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.behind_mixer(self.add_attention(x, self.attention(x)))


class SqueezeExciteBlock(LocalMlpBlock):
    """Squeeze-excite, depthwise layer and MLP, each added to its input."""

    def __init__(self, width: int, ratio: float) -> None:
        super().__init__(width, ratio)
        self.se = nn.Sequential(nn.BatchNorm2d(width), SqueezeExcite(width))
        self.add_se = Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.behind_mixer(self.add_se(x, self.se(x)))


def bottleneck_block(width: int, ratio: float) -> nn.Module:
    return InvertedBottleneck(width, int(width * ratio), width)


BLOCKS = (bottleneck_block, bottleneck_block, FormerBlock, SqueezeExciteBlock)
"""How each stage builds a block of some width and expansion ratio."""


class TinyNeXtBackbone(nn.Module):
    """The four stages: [batch, 3, H, W] to their maps, H / 4, H / 8, H / 16 and H / 32 wide."""

    family = Family.TINYNEXT
    preprocessing = PIXEL_LESS_128
    head_layers = ("norm.", "class_head.")
    has_head = False

    def __init__(self, size: TinyNeXtSize, resolution: int = 224) -> None:
        super().__init__()
        self.widths, self.resolution = size.widths, resolution
        stem = nn.Sequential(
            conv_norm_relu(3, size.widths[0] // 2, 3, size.stem_strides[0]),
            conv_norm_relu(size.widths[0] // 2, size.widths[0], 3, size.stem_strides[1]),
        )
        reductions = [
            nn.Sequential(InvertedBottleneck(inputs, outputs, outputs, stride, residual=False))
            for (inputs, outputs), stride in zip(
                itertools.pairwise(size.widths), size.strides, strict=True
            )
        ]
        self.embeds = nn.ModuleList([stem, *reductions])
        self.stages = nn.ModuleList(
            nn.Sequential(*(block(width, ratio) for _ in range(depth)))
            for block, width, ratio, depth in zip(
                BLOCKS, size.widths, size.ratios, size.depths, strict=True
            )
        )

    def stage_maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Every stage's output, none of them normalized."""
        maps = []
        for embed, stage in zip(self.embeds, self.stages, strict=True):
            x = stage(embed(x))
            maps.append(x)
        return maps

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return self.stage_maps(x)


class TinyNeXt(TinyNeXtBackbone):
    """The classifier: [batch, 3, H, W] with pixels less 128 to logits [batch, classes]."""

    has_head = True

    def __init__(self, size: TinyNeXtSize, num_classes: int = 1000, resolution: int = 224) -> None:
        super().__init__(size, resolution)
        self.norm = nn.BatchNorm2d(size.widths[-1])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.class_head = nn.Linear(size.widths[-1], num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.stage_maps(x)[-1])
        return self.class_head(self.pool(x).flatten(1))
