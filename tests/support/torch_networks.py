"""Small networks in plain PyTorch with the structure of well-known ones.

Importing this needs torch. Channels are few; what a fresh network leaves trivial is random.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Callable[[], nn.Module]


def conv_norm(
    inputs: int,
    outputs: int,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    act: Activation | None = nn.ReLU,
) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), *([act()] if act else []))


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, act=None)
        same = stride == 1 and inputs == outputs
        self.skip = nn.Identity() if same else conv_norm(inputs, outputs, 1, stride, act=None)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(self.first(x)) + self.skip(x))


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 8, 7, 2), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(
            ResidualBlock(8, 8, 1), ResidualBlock(8, 16, 2), ResidualBlock(16, 16, 1)
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(self.pool(self.blocks(self.stem(x))), 1))


class MobileNetV1(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv_norm(3, 8, 3, 2),
            conv_norm(8, 8, 3, 1, 8),
            conv_norm(8, 16, 1),
            conv_norm(16, 16, 3, 2, 16),
            conv_norm(16, 24, 1),
            nn.AvgPool2d(4),
        )
        self.head = nn.Linear(24 * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x)
        return functional.softmax(self.head(x.view(x.size(0), -1)), dim=1)


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, 4, 1)
        self.expand = nn.Conv2d(4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.reduce(functional.adaptive_avg_pool2d(x, 1)))
        return x * functional.hardsigmoid(self.expand(y))


class InvertedResidual(nn.Module):
    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int,
        ratio: int,
        act: Activation,
        excite: bool = False,
        kernel: int = 3,
    ) -> None:
        super().__init__()
        hidden = inputs * ratio
        self.layers = nn.Sequential(
            conv_norm(inputs, hidden, 1, act=act),
            conv_norm(hidden, hidden, kernel, stride, hidden, act=act),
            SqueezeExcite(hidden) if excite else nn.Identity(),
            conv_norm(hidden, outputs, 1, act=None),
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.adds else self.layers(x)


class MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv_norm(3, 8, 3, 2, act=nn.ReLU6),
            InvertedResidual(8, 8, 1, 2, nn.ReLU6),
            InvertedResidual(8, 12, 2, 3, nn.ReLU6),
            conv_norm(12, 24, 1, act=nn.ReLU6),
        )
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(24, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).mean([2, 3]))


class MobileNetV3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv_norm(3, 8, 3, 2, act=nn.Hardswish),
            InvertedResidual(8, 8, 1, 2, nn.ReLU, excite=True),
            InvertedResidual(8, 12, 2, 3, nn.Hardswish, excite=True, kernel=5),
            InvertedResidual(12, 12, 1, 3, nn.Hardswish),
            conv_norm(12, 24, 1, act=nn.Hardswish),
        )
        self.head = nn.Sequential(
            nn.Linear(24, 32), nn.Hardswish(), nn.Dropout(), nn.Linear(32, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(functional.adaptive_avg_pool2d(self.layers(x), 1), 1))


class ConvNet1d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(3, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU())
        self.second = nn.Sequential(
            nn.Conv1d(8, 8, 3, padding=1, groups=8), nn.BatchNorm1d(8), nn.ReLU()
        )
        self.head = nn.Linear(64, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        return self.head(functional.max_pool1d(y + self.second(y), 4).flatten(1))


class UNet(nn.Module):
    """Transposed convolution, both kinds of resize, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.top, self.down = conv_norm(3, 8), conv_norm(8, 16, 3, 2)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.side, self.out = conv_norm(16, 8), nn.Conv2d(16, 2, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        top = self.top(x)
        down = self.down(top)
        first = self.out(torch.cat([self.up(down), top], 1))
        smooth = functional.interpolate(self.side(down), scale_factor=2, mode="bilinear")
        sharp = functional.interpolate(down, scale_factor=2)[:, :8]
        return torch.sigmoid(first), functional.softmax(
            self.out(torch.cat([smooth, sharp], 1)), dim=1
        )


class Normalized(nn.Module):
    """Normalizes its input, takes it apart and flattens features late."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv_norm(12, 8)
        self.head = nn.Linear(8 * 16, 4)
        self.register_buffer("mean", torch.randn(1, 3, 1, 1))
        self.register_buffer("deviation", torch.rand(1, 3, 1, 1) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad((x / 255 - self.mean) / self.deviation, (0, 1, 0, 1))[..., :-1, :-1]
        parts = [x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
        x = self.conv(torch.cat(parts, 1))
        a, b = functional.avg_pool2d(functional.leaky_relu(x) * torch.tanh(x), 2).chunk(2, 1)
        return self.head(torch.cat([a, b * 0.5], 1).flatten(1))


NETWORKS: dict[str, tuple[type[nn.Module], tuple[int, ...]]] = {
    "conv1d": (ConvNet1d, (1, 3, 32)),
    "mobilenet_v1": (MobileNetV1, (1, 3, 32, 32)),
    "mobilenet_v2": (MobileNetV2, (1, 3, 32, 32)),
    "mobilenet_v3": (MobileNetV3, (1, 3, 32, 32)),
    "normalized": (Normalized, (1, 3, 16, 16)),
    "resnet": (ResNet, (1, 3, 32, 32)),
    "unet": (UNet, (1, 3, 16, 16)),
}


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """A network for inference with random weights and statistics, and its input's shape."""
    torch.manual_seed(0)
    make, shape = NETWORKS[name]
    net = make().eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
    return net, shape
