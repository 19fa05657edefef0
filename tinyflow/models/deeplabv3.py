"""DeepLabv3: a class for every pixel, by dilated convolutions on the backbone's last map.

An ARGMAX layer behind it brings the logits to the picture's size.
"""

from __future__ import annotations

import torch
from torch import nn

WIDTH = 256
DILATIONS = (12, 24, 36)


def conv_norm_relu(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


class DeepLabV3(nn.Module):
    """The segmenter: pictures [batch, 3, H, W] to logits [batch, classes, H / 32, W / 32].

    Five views of the backbone's last stage are joined: its mean, a 1x1 layer and three dense 3x3
    layers of the dilations given; a dense 3x3 layer and a 1x1 layer follow.
    """

    has_head = True
    head_layers = ("conv_seg.",)

    def __init__(self, backbone: nn.Module, classes: int = 21) -> None:
        super().__init__()
        self.backbone = backbone
        self.family, self.preprocessing = backbone.family, backbone.preprocessing
        self.resolution = backbone.resolution
        inputs = backbone.widths[-1]
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_norm_relu(inputs, WIDTH, 1))
        self.aspp = nn.ModuleList(
            [
                conv_norm_relu(inputs, WIDTH, 1),
                *(conv_norm_relu(inputs, WIDTH, 3, dilation) for dilation in DILATIONS),
            ]
        )
        self.bottleneck = conv_norm_relu((len(DILATIONS) + 2) * WIDTH, WIDTH, 3)
        self.conv_seg = nn.Conv2d(WIDTH, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.backbone(x)[-1]
        # A bilinear resize of a single pixel repeats it.
        pooled = self.image_pool(x).expand(-1, -1, x.shape[2], x.shape[3])
        views = torch.cat((pooled, *(branch(x) for branch in self.aspp)), dim=1)
        return self.conv_seg(self.bottleneck(views))
