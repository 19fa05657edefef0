"""From sums to codes at the end of a block: which words it reads, which instructions follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinyflow.codegen.c.dsp.products.shape import GROUP
from tinyflow.codegen.c.dsp.requant import (
    GenericRequant,
    Requant,
    ShortRequant,
    SignWay,
    emit_generic,
    emit_short,
)

PAIR_SHIFT = 8
"""The odd channel of a pair is summed times 2**8."""


@dataclass(frozen=True)
class Sums:
    """The registers of one pixel: ``upper`` holds 256 * odd + even channel, ``lower`` the even
    one, for each of the two pairs."""

    upper: tuple[str, str]
    lower: tuple[str, str]

    @property
    def registers(self) -> list[str]:
        """In the order of the bias words."""
        return [self.upper[0], self.lower[0], self.upper[1], self.lower[1]]

    def alone(self, channel: int, carries: bool) -> tuple[list[str], str]:
        """Lines that bring a channel's sum, times 256 unless the shape carries, into a register,
        and which; the even channel of a pair comes before the odd one."""
        upper, lower = self.upper[channel // 2], self.lower[channel // 2]
        if channel % 2 or carries:
            return [], upper if channel % 2 else lower
        return [f"sub {upper}, {upper}, {lower}", f"lsl {lower}, {lower}, #{PAIR_SHIFT}"], lower


class Epilogue:
    """The requantization of all channels of a layer, the short form where every one has it.

    `tables` are the words that
    each channel needs, [channels] each; `common` is the last one's value where it is the same
    for all channels, and then it is not among them.
    """

    def __init__(self, requant: Requant) -> None:
        short = isinstance(requant, ShortRequant) and bool(requant.short.all())
        self.form: Requant = requant if short else requant.generic

    @property
    def common(self) -> int | None:
        form = self.form
        return form.common_left if isinstance(form, GenericRequant) else form.common_constant

    @cached_property
    def tables(self) -> list[np.ndarray]:
        form = self.form
        if isinstance(form, GenericRequant):
            own, last = [form.multiplier, form.right], form.left
        else:
            own, last = [form.multiplier], form.constant
            if form.sign is not None and form.sign.way is SignWay.MIRROR:
                own.append(form.mirror)
        return own if self.common is not None else [*own, last]

    @property
    def constant(self) -> int | None:
        """A common value that the instructions want in a register."""
        return None if isinstance(self.form, GenericRequant) else self.common

    @property
    def needs_temporary(self) -> bool:
        form = self.form
        return form.wide if isinstance(form, GenericRequant) else form.sign is not None

    def chunks(self, registers: Sequence[str], tail: int) -> Iterator[tuple[range, list[str]]]:
        """Channels whose words are loaded together, and registers for all of these words.

        A chunk ends with channel ``tail - 1``.
        """
        words = len(self.tables)
        most = len(registers) // words
        first = 0
        while first < GROUP:
            end = min(first + most, tail if first < tail else GROUP)
            yield range(first, end), list(registers[: (end - first) * words])
            first = end

    def lines(
        self, acc: str, words: Sequence[str], constant: str, temporary: str, store: str
    ) -> list[str]:
        """One sum to one stored code; ``acc`` is lost."""
        form = self.form
        if isinstance(form, GenericRequant):
            return emit_generic(
                form,
                acc=acc,
                multiplier=words[0],
                right=words[1],
                left=words[2] if self.common is None else None,
                temporary=temporary or None,
                out=acc,
                store=store,
            )
        mirrored = form.sign is not None and form.sign.way is SignWay.MIRROR
        return emit_short(
            form,
            acc=acc,
            multiplier=words[0],
            constant=constant if self.common is not None else words[-1],
            mirror=words[1] if mirrored else None,
            out=temporary if form.sign is not None else acc,
            store=store,
        )
