"""Blocks of sums that are kept in registers side by side, so that what is read serves more than
one product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import const32
from tinyflow.codegen.tvm.builder import Builder, Expr
from tinyflow.codegen.tvm.epilogue import Epilogue

CHANNELS = 4
PIXELS = 2
"""Of a block of a matrix product: eight sums, two codes and a weight are what the registers of a
Cortex-M hold."""


@contextmanager
def block_loop(build: Builder, name: str, count: int, size: int) -> Iterator[Expr]:
    """The first element of each block of ``size``. Where they do not come out even, the last block
    starts earlier, and some elements are computed twice: one body serves all."""
    blocks = -(-count // size)
    if blocks == 1:
        yield const32(0)
        return
    with build.loop(name if size == 1 else f"{name}_block", blocks) as block:
        if size == 1:
            yield block
        else:
            first = block * size
            yield build.let(name, tirx.min(first, count - size) if count % size else first)


class Block:
    """Sums for ``channels`` output channels from ``channel`` on, at ``pixels`` neighbouring
    pixels."""

    def __init__(
        self, build: Builder, end: Epilogue, channel: Expr, channels: int, pixels: int
    ) -> None:
        self._build = build
        self._end = end
        self._channel = channel
        self._channels = channels
        self._pixels = pixels
        self._sums = [build.registers(f"sum{p}", channels) for p in range(pixels)]
        for n in range(channels):
            bias = build.let("start", end.start(channel + n))
            for sums in self._sums:
                build.store(sums, bias, n)

    def add(self, code: Callable[[int], Expr], weight: Callable[[Expr], Expr]) -> None:
        """One product more in each sum: of the code for a pixel, counted from 0, and of the weight
        for a channel."""
        build = self._build
        codes = [build.let(f"x{p}", self._end.centred(code(p))) for p in range(self._pixels)]
        for n in range(self._channels):
            value = self._end.centred_weight(weight(self._channel + n))
            factor = build.let(f"w{n}", value) if self._pixels > 1 else value
            for sums, each in zip(self._sums, codes, strict=True):
                build.store(sums, sums[n] + each * factor, n)

    def store(self, put: Callable[[int, Expr, Expr], None]) -> None:
        """``put(pixel, channel, code)`` for every sum."""
        for n in range(self._channels):
            channel = self._channel + n
            for p, sums in enumerate(self._sums):
                put(p, channel, self._end.code(sums[n], channel))
