"""SSDLite: boxes and classes from six maps, every 3x3 layer depthwise.

`tinyflow.models.anchors` has the anchors of the outputs.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn

from tinyflow.models.anchors import ANCHORS_PER_PLACE

NECK_WIDTHS = (512, 256, 256, 128)
EPSILON = 1e-3


def conv_norm_relu6(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm2d(outputs, eps=EPSILON), nn.ReLU6())


def neck_level(inputs: int, outputs: int) -> nn.Sequential:
    """Half as large a map with ``outputs`` channels, by way of half as many."""
    half = outputs // 2
    return nn.Sequential(
        conv_norm_relu6(inputs, half, 1),
        conv_norm_relu6(half, half, 3, stride=2, groups=half),
        conv_norm_relu6(half, outputs, 1),
    )


def predictor(width: int, values: int) -> nn.Sequential:
    """``values`` numbers for each anchor of each place."""
    return nn.Sequential(
        conv_norm_relu6(width, width, 3, groups=width),
        nn.Conv2d(width, ANCHORS_PER_PLACE * values, 1),
    )


class SsdLite(nn.Module):
    """The detector: pictures [batch, 3, H, W] to class logits and box deltas of every anchor.

    Gives [batch, anchors, classes + 1], whose last class is the background, and
    [batch, anchors, 4]; anchors are ordered by level, row, column and shape. At 320 there are
    3234 of them. The backbone's last two stages are the two finest levels.
    """

    has_head = True
    head_layers: tuple[str, ...] = ()

    def __init__(self, backbone: nn.Module, classes: int = 80) -> None:
        super().__init__()
        self.backbone = backbone
        self.family, self.preprocessing = backbone.family, backbone.preprocessing
        self.resolution, self.classes = backbone.resolution, classes
        widths = (*backbone.widths[-2:], *NECK_WIDTHS)
        self.neck = nn.ModuleList(
            neck_level(inputs, outputs) for inputs, outputs in itertools.pairwise(widths[1:])
        )
        self.class_head = nn.ModuleList(predictor(width, classes + 1) for width in widths)
        self.box_head = nn.ModuleList(predictor(width, 4) for width in widths)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.backbone(x)[-2:]
        for level in self.neck:
            maps.append(level(maps[-1]))
        return (
            self._predict(self.class_head, maps, self.classes + 1),
            self._predict(self.box_head, maps, 4),
        )

    @staticmethod
    def _predict(heads: nn.ModuleList, maps: list[torch.Tensor], values: int) -> torch.Tensor:
        levels = [
            head(level).permute(0, 2, 3, 1).reshape(level.shape[0], -1, values)
            for head, level in zip(heads, maps, strict=True)
        ]
        return torch.cat(levels, dim=1)
