"""Next-ViT (S, B, L): blocks of grouped convolutions, some with attention over pooled tokens.

Parameters have the names of the authors' checkpoints. The pre-normalizations are always computed:
nothing is assumed to be merged into a neighbour.
"""

from __future__ import annotations

import torch
from torch import nn

from tinyflow.models.family import Family
from tinyflow.models.preprocessing import IMAGENET
from tinyflow.models.residual import Residual
from tinyflow.models.sizes import NextViTSize


class ConvNormRelu(nn.Module):
    """Convolution 3x3 without bias, BatchNorm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class PatchEmbed(nn.Module):
    """Brings a map to another width and, at stride 2, to half its size by averaging.

    Without either change it has no layers and passes its input through.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.pool: nn.Module = nn.Identity()
        self.conv: nn.Module = nn.Identity()
        self.norm: nn.Module = nn.Identity()
        if stride == 2:
            self.pool = nn.AvgPool2d(2, stride=2, ceil_mode=True, count_include_pad=False)
        if stride == 2 or inputs != outputs:
            self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(self.pool(x)))


class GroupedConvolution(nn.Module):
    """A 3x3 convolution in groups, BatchNorm, ReLU and a 1x1 layer; "MHCA" of the paper."""

    def __init__(self, width: int, group: int) -> None:
        super().__init__()
        self.group_conv3x3 = nn.Conv2d(
            width, width, 3, padding=1, groups=width // group, bias=False
        )
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.ReLU()
        self.projection = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.projection(self.act(self.norm(self.group_conv3x3(x))))


class Mlp(nn.Module):
    """Two 1x1 layers with bias around a ReLU."""

    def __init__(self, width: int, ratio: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, ratio * width, 1)
        self.act = nn.ReLU()
        self.conv2 = nn.Conv2d(ratio * width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(self.act(self.conv1(x)))


class ConvolutionBlock(nn.Module):
    """NCB: grouped convolution and MLP, each added to its input; [batch, C, H, W]."""

    def __init__(self, inputs: int, outputs: int, stride: int, group: int) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(inputs, outputs, stride)
        self.mhca = GroupedConvolution(outputs, group)
        self.norm = nn.BatchNorm2d(outputs)
        self.mlp = Mlp(outputs, 3)
        self.add_mhca, self.add_mlp = Residual(), Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed(x)
        x = self.add_mhca(x, self.mhca(x))
        return self.add_mlp(x, self.mlp(self.norm(x)))


class PooledAttention(nn.Module):
    """E-MHSA on tokens [batch, N, C]: keys and values come from averages of tokens.

    ``reduction ** 2`` neighbours in raster order become one key: a window is a piece of a row or
    wraps to the next one, and what is left of N after the last whole window is not attended to.
    """

    def __init__(self, width: int, head: int, reduction: int) -> None:
        super().__init__()
        self.head = head
        self.scale = head**-0.5
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)
        self.pooled = reduction > 1
        if self.pooled:
            self.pool = nn.AvgPool1d(reduction**2, stride=reduction**2)
            self.norm = nn.BatchNorm1d(width)

    def split_heads(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, n, C] to [batch, heads, n, C / heads]."""
        return x.unflatten(2, (-1, self.head)).transpose(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        source = x
        if self.pooled:
            source = self.norm(self.pool(x.transpose(1, 2))).transpose(1, 2)
        q, k, v = (
            self.split_heads(layer(tokens))
            for layer, tokens in ((self.q, x), (self.k, source), (self.v, source))
        )
        scores = q @ k.transpose(-2, -1) * self.scale
        mixed = scores.softmax(dim=-1) @ v
        return self.proj(mixed.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """NTB: attention on three quarters of the output channels, a grouped convolution on the rest.

    The convolution's part is projected from the attended part; both are joined, attended part
    first, ahead of the MLP.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, attended: int, reduction: int, group: int
    ) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(inputs, attended, stride)
        self.norm1 = nn.BatchNorm2d(attended)
        self.e_mhsa = PooledAttention(attended, group, reduction)
        self.projection = PatchEmbed(attended, outputs - attended)
        self.mhca = GroupedConvolution(outputs - attended, group)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.mlp = Mlp(outputs, 2)
        self.add_attention, self.add_mhca, self.add_mlp = Residual(), Residual(), Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed(x)
        tokens = self.norm1(x).flatten(2).transpose(1, 2)
        x = self.add_attention(x, self.e_mhsa(tokens).transpose(1, 2).reshape(x.shape))
        y = self.projection(x)
        y = self.add_mhca(y, self.mhca(y))
        z = torch.cat((x, y), dim=1)
        return self.add_mlp(z, self.mlp(self.norm2(z)))


class NextViT(nn.Module):
    """The classifier: normalized pictures [batch, 3, H, W] to logits [batch, classes]."""

    family = Family.NEXTVIT
    preprocessing = IMAGENET
    head_layers = ("norm.", "proj_head.")
    has_head = True

    def __init__(self, size: NextViTSize, num_classes: int = 1000, resolution: int = 224) -> None:
        super().__init__()
        self.resolution = resolution
        self.depths = tuple(map(len, size.stages))
        first, second, third, width = size.stem
        self.stem = nn.Sequential(
            ConvNormRelu(3, first, 2),
            ConvNormRelu(first, second, 1),
            ConvNormRelu(second, third, 1),
            ConvNormRelu(third, width, 2),
        )
        blocks: list[nn.Module] = []
        for stage, specs in enumerate(size.stages):
            for index, spec in enumerate(specs):
                stride = 2 if stage > 0 and index == 0 else 1
                if spec.transformer:
                    blocks.append(
                        TransformerBlock(
                            width,
                            spec.width,
                            stride,
                            size.attended(spec.width),
                            size.reductions[stage],
                            size.group,
                        )
                    )
                else:
                    blocks.append(ConvolutionBlock(width, spec.width, stride, size.group))
                width = spec.width
        self.features = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.proj_head = nn.Sequential(nn.Linear(width, num_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.features(self.stem(x)))
        return self.proj_head(self.pool(x).flatten(1))
