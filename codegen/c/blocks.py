"""Assembly blocks: inner loops written for the shape of a layer.

A block is one function in GNU assembler syntax for the cores that its guard names. Its twin, a C
function of the kernel headers, is the readable definition and computes the same bits on every
other machine. Layers whose blocks are equal share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Guard(Enum):
    """The preprocessor condition under which a block is assembled, and else its twin compiled."""

    DSP = "defined(__ARM_FEATURE_DSP)"
    THUMB = "defined(__thumb__)"


@dataclass(frozen=True)
class Block:
    """``stem`` begins the symbol, and says what the block computes and for which shape.

    ``signature`` is a C parameter list, ``twin`` the C statement that computes the same from
    those parameters. ``comment`` explains the block to its reader: registers, loop, cycles.
    """

    stem: str
    signature: str
    twin: str
    lines: tuple[str, ...]
    comment: tuple[str, ...] = ()
    guard: Guard = Guard.DSP


@dataclass(frozen=True)
class PlacedBlock:
    symbol: str
    block: Block


class BlockPool:
    """The blocks of a model, each once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._symbols: dict[Block, str] = {}

    def add(self, block: Block) -> str:
        """The symbol of a block; equal blocks get the same."""
        if block not in self._symbols:
            stem = f"{self._name}_{block.stem}"
            taken = sum(s == stem or s.startswith(f"{stem}_v") for s in self._symbols.values())
            self._symbols[block] = f"{stem}_v{taken}" if taken else stem
        return self._symbols[block]

    @property
    def placed(self) -> Sequence[PlacedBlock]:
        return [PlacedBlock(symbol, block) for block, symbol in self._symbols.items()]
