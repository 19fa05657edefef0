"""What the C backend takes and hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from tinyflow.ir import Op
from tinyflow.targets.model import Target


class Feature(Enum):
    """What instructions a core has, and what else decides between kernels."""

    THUMB1 = "thumb1"
    """Not more than ARMv6-M: no long products, none that accumulate."""
    DSP = "dsp"
    """The DSP extension: SMLAD, SXTB16, SSAT, SMMLA."""
    MVE = "mve"
    """The M-profile vector extension, Helium."""
    NEON = "neon"
    """The vector instructions of 64-bit Arm."""
    DOTPROD = "dotprod"
    """SDOT and UDOT beside them: four products of codes, added to a sum."""
    SLOW_FLASH = "slow_flash"
    """Not of the core: a board whose flash makes loads of data wait."""


def features_of(target: Target) -> frozenset[Feature]:
    """What kernels for a target may use, or should mind."""
    found = {Feature(name) for name in target.features}
    if target.board is not None and target.board.flash_profile is not None:
        found.add(Feature.SLOW_FLASH)
    return frozenset(found)


class Goal(Enum):
    """What generated code is optimized for."""

    SPEED = "speed"
    BALANCED = "balanced"
    SIZE = "size"


@dataclass(frozen=True)
class CodegenOptions:
    """``binary_weights_over``: weights of more bytes than this, all layers together, are linked
    from a binary file instead of being compiled from text."""

    binary_weights_over: int = 1 << 20


@dataclass(frozen=True)
class LayerInfo:
    """One step of the model: the kernel variant that computes it, its C function (None where no
    code is needed, as for a reshape in place), the tensor that it leaves, and bytes: of one row
    at the tap, of weights, of tables."""

    step: int
    name: str
    op: Op
    variant: str
    function: str | None
    tensor: str
    row_bytes: int
    weight_bytes: int
    table_bytes: int


@dataclass(frozen=True)
class CSources:
    """``files`` maps paths in the bundle to contents. ``weight_bytes`` counts weight tensors,
    ``table_bytes`` biases, multipliers, shifts and lookup tables."""

    files: Mapping[str, bytes]
    layers: tuple[LayerInfo, ...]
    weight_bytes: int
    table_bytes: int
