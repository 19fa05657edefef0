"""EdgeNeXt (XXS, XS, S, B) and its BatchNorm/HardSwish variants.

Convolution blocks, and blocks of split depthwise convolutions with attention across channels
(SDTA). Parameters have the names of the authors' checkpoints.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

from tinyflow.models.family import Family
from tinyflow.models.preprocessing import IMAGENET
from tinyflow.models.residual import Residual
from tinyflow.models.sizes import EdgeNeXtSize

LAYER_SCALE = 1e-6
EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of a map [batch, C, H, W]."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def map_norm(width: int, batch_norm: bool) -> nn.Module:
    """The normalization of a map [batch, C, H, W] in either variant."""
    return nn.BatchNorm2d(width) if batch_norm else ChannelNorm(width)


def activation(batch_norm: bool) -> nn.Module:
    return nn.Hardswish() if batch_norm else nn.GELU()


class ConvEncoder(nn.Module):
    """``x + gamma * W2 act(W1 norm(dw(x)))`` on [batch, C, H, W], a square depthwise kernel."""

    def __init__(self, width: int, kernel: int, batch_norm: bool) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(
            width, width, kernel, padding=kernel // 2, groups=width, bias=not batch_norm
        )
        self.norm = map_norm(width, batch_norm)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.act = activation(batch_norm)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), LAYER_SCALE))
        self.add = Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return self.add(x, y.permute(0, 3, 1, 2))


def fourier_features(height: int, width: int, hidden: int) -> torch.Tensor:
    """Sines and cosines of each place, [1, 2 * hidden, height, width]: of its row, then column.

    Row r of H stands at angle ``2 pi (r + 1) / (H + 1e-6)``; channels 2i and 2i + 1 are sine and
    cosine of that angle over ``10000 ** (2i / hidden)``.
    """
    periods = 10000 ** (2 * (torch.arange(hidden) // 2) / hidden)

    def along(length: int) -> torch.Tensor:
        angles = (torch.arange(length) + 1) / (length + EPSILON) * (2 * math.pi)
        phases = angles[:, None] / periods
        return torch.stack((phases[:, 0::2].sin(), phases[:, 1::2].cos()), dim=2).flatten(1)

    rows = along(height)[:, None, :].expand(height, width, hidden)
    columns = along(width)[None, :, :].expand(height, width, hidden)
    return torch.cat((rows, columns), dim=2).permute(2, 0, 1)[None].contiguous()


class PositionalEncoding(nn.Module):
    """Adds a projection of the Fourier features, a constant once the map's size is known."""

    HIDDEN = 32

    def __init__(self, width: int, shape: tuple[int, int]) -> None:
        super().__init__()
        self.token_projection = nn.Conv2d(2 * self.HIDDEN, width, 1)
        self.add = Residual()
        self.register_buffer("features", fourier_features(*shape, self.HIDDEN), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.features
        if features.shape[2:] != x.shape[2:]:
            features = fourier_features(x.shape[2], x.shape[3], self.HIDDEN).to(x)
        return self.add(x, self.token_projection(features))


class CrossCovariance(nn.Module):
    """Attention across channels on tokens [batch, N, C].

    Per head ``softmax(q k^T * temperature) v`` with q, k, v of shape [C / heads, N] and the rows
    of q and k scaled to length one, so that attention is as large as channels, not tokens, ask.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 4, 1).unbind(0)
        q = functional.normalize(q, dim=-1)
        k = functional.normalize(k, dim=-1)
        scores = q @ k.transpose(-2, -1) * self.temperature
        mixed = scores.softmax(dim=-1) @ v
        return self.proj(mixed.permute(0, 3, 1, 2).reshape(batch, tokens, width))


class SplitAttention(nn.Module):
    """The SDTA block on [batch, C, H, W].

    Channels are split into ``scale`` groups; each but the last runs through a depthwise 3x3 layer
    together with the group before it. Attention across channels follows, then an MLP. The last
    addition takes the block's input.
    """

    def __init__(
        self, width: int, scale: int, heads: int, batch_norm: bool, shape: tuple[int, int] | None
    ) -> None:
        super().__init__()
        self.batch_norm = batch_norm
        self.group = math.ceil(width / scale)
        self.convs = nn.ModuleList(
            nn.Conv2d(self.group, self.group, 3, padding=1, groups=self.group)
            for _ in range(max(1, scale - 1))
        )
        self.pos_embd = None if shape is None else PositionalEncoding(width, shape)
        self.norm_xca = map_norm(width, batch_norm)
        self.gamma_xca = nn.Parameter(torch.full((width,), LAYER_SCALE))
        self.xca = CrossCovariance(width, heads)
        self.norm = map_norm(width, batch_norm)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.act = activation(batch_norm)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), LAYER_SCALE))
        self.add_xca, self.add = Residual(), Residual()

    def split_convolutions(self, x: torch.Tensor) -> torch.Tensor:
        *groups, last = torch.split(x, self.group, dim=1)
        mixed: list[torch.Tensor] = []
        for conv, group in zip(self.convs, groups, strict=True):
            mixed.append(conv(group + mixed[-1] if mixed else group))
        return torch.cat((*mixed, last), dim=1)

    def encode_place(self, x: torch.Tensor) -> torch.Tensor:
        return x if self.pos_embd is None else self.pos_embd(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        c = self.split_convolutions(x)
        if self.batch_norm:
            c = normalized = self.encode_place(self.norm_xca(c))
        else:
            c = self.encode_place(c)
            normalized = self.norm_xca(c)
        attended = self.gamma_xca * self.xca(normalized.flatten(2).transpose(1, 2))
        t = self.add_xca(c, attended.transpose(1, 2).reshape(x.shape))
        y = self.norm(t).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return self.add(x, y.permute(0, 3, 1, 2))


class EdgeNeXtBackbone(nn.Module):
    """The stages: [batch, 3, H, W] to their maps, the first H / patch wide, each then half."""

    family = Family.EDGENEXT
    preprocessing = IMAGENET
    head_layers = ("norm.", "head.")
    has_head = False

    def __init__(self, size: EdgeNeXtSize, resolution: int = 256) -> None:
        super().__init__()
        self.widths, self.resolution = size.widths, resolution
        plain = size.batch_norm
        stem = nn.Sequential(
            nn.Conv2d(3, size.widths[0], size.patch, stride=size.patch, bias=not plain),
            map_norm(size.widths[0], plain),
        )
        reductions = [
            nn.Sequential(
                map_norm(inputs, plain),
                nn.Conv2d(inputs, outputs, 2, stride=2, bias=not plain),
            )
            for inputs, outputs in itertools.pairwise(size.widths)
        ]
        self.downsample_layers = nn.ModuleList([stem, *reductions])
        self.stages = nn.ModuleList(
            nn.Sequential(*self._blocks(size, stage, resolution))
            for stage in range(len(size.widths))
        )

    @staticmethod
    def _blocks(size: EdgeNeXtSize, stage: int, resolution: int) -> list[nn.Module]:
        width, depth = size.widths[stage], size.depths[stage]
        convolutions = depth if stage == 0 else depth - 1
        blocks: list[nn.Module] = [
            ConvEncoder(width, size.kernels[stage], size.batch_norm) for _ in range(convolutions)
        ]
        if stage > 0:
            side = resolution // size.patch >> stage
            shape = (side, side) if stage == 1 else None
            blocks.append(
                SplitAttention(width, size.scales[stage], size.heads, size.batch_norm, shape)
            )
        return blocks

    def stage_maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Every stage's output, none of them normalized."""
        maps = []
        for reduction, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(reduction(x))
            maps.append(x)
        return maps

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return self.stage_maps(x)


class EdgeNeXt(EdgeNeXtBackbone):
    """The classifier: normalized pictures [batch, 3, H, W] to logits [batch, classes]."""

    has_head = True

    def __init__(self, size: EdgeNeXtSize, num_classes: int = 1000, resolution: int = 256) -> None:
        super().__init__(size, resolution)
        self.batch_norm = size.batch_norm
        last = size.widths[-1]
        self.norm = nn.BatchNorm2d(last) if size.batch_norm else nn.LayerNorm(last, eps=EPSILON)
        self.head = nn.Linear(last, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stage_maps(x)[-1]
        x = self.norm(x).mean((-2, -1)) if self.batch_norm else self.norm(x.mean((-2, -1)))
        return self.head(x)
