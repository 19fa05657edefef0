"""What tells the members of a family apart: widths, depths and the few choices beside them.

Nothing here needs PyTorch, so names and sizes are known without loading it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TinyNeXtSize:
    """Four stages: inverted bottlenecks, inverted bottlenecks, attention, squeeze-excite.

    ``stem_strides`` and ``strides`` (of the reductions ahead of stages 2 to 4) are 2 in every
    published size; networks for small pictures reduce later.
    """

    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    ratios: tuple[float, float, float, float] = (2, 2, 2, 2)
    stem_strides: tuple[int, int] = (2, 2)
    strides: tuple[int, int, int] = (2, 2, 2)


@dataclass(frozen=True)
class EdgeNeXtSize:
    """One width, depth, depthwise kernel and number of SDTA groups for each stage.

    The last block of every stage but the first is an SDTA block. ``patch`` is kernel and stride
    of the stem. ``batch_norm`` is the variant with BatchNorm for LayerNorm and HardSwish for GELU.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: int
    batch_norm: bool = False
    patch: int = 4
    kernels: tuple[int, ...] = (3, 5, 7, 9)
    scales: tuple[int, ...] = (2, 2, 3, 4)

    def __post_init__(self) -> None:
        stages = len(self.widths)
        if not len(self.depths) == len(self.kernels) == len(self.scales) == stages:
            raise ValueError("widths, depths, kernels and scales each have one entry per stage")
        if any(width % self.heads for width in self.widths[1:]):
            raise ValueError(f"widths of stages with attention are multiples of {self.heads} heads")


@dataclass(frozen=True)
class NextViTBlock:
    """One block's output channels; ``transformer`` tells an NTB from an NCB."""

    width: int
    transformer: bool = False


@dataclass(frozen=True)
class NextViTSize:
    """The blocks of four stages behind a stem of four 3x3 convolutions.

    ``stem`` has the widths of the stem's convolutions, ``reductions`` the root of the number of
    tokens that each stage pools into one key, ``group`` the channels per attention head and per
    group of a grouped convolution.
    """

    stages: tuple[tuple[NextViTBlock, ...], ...]
    stem: tuple[int, int, int, int] = (64, 32, 64, 64)
    reductions: tuple[int, ...] = (8, 4, 2, 1)
    group: int = 32

    def __post_init__(self) -> None:
        blocks = [block for stage in self.stages for block in stage]
        parts = [self.attended(b.width) if b.transformer else b.width for b in blocks]
        rest = [b.width - self.attended(b.width) for b in blocks if b.transformer]
        if any(width % self.group or width <= 0 for width in parts + rest):
            raise ValueError(f"widths split into groups of {self.group} channels")

    def attended(self, width: int) -> int:
        """Channels of an NTB of ``width`` channels that attention sees: three quarters."""
        return max(self.group, (3 * width // 4 + self.group // 2) // self.group * self.group)


def nextvit_size(repeats: int) -> NextViTSize:
    """The published sizes differ in how often the third stage repeats its five blocks."""
    third = (*(NextViTBlock(384),) * 4, NextViTBlock(512, transformer=True))
    return NextViTSize(
        stages=(
            (NextViTBlock(96),) * 3,
            (*(NextViTBlock(192),) * 3, NextViTBlock(256, transformer=True)),
            third * repeats,
            (*(NextViTBlock(768),) * 2, NextViTBlock(1024, transformer=True)),
        )
    )
