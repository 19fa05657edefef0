"""From the sums of a pass to stored codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinyflow.codegen.c.dsp.depthwise.arithmetic import LARGEST_OFFSET, add
from tinyflow.codegen.c.dsp.requant import (
    GenericRequant,
    Requant,
    ShortRequant,
    SignWay,
    emit_generic,
    emit_short,
)

Slots = Mapping[str, int]
"""Where on the stack each value of a sweep lies: bytes from SP."""


@dataclass(frozen=True, eq=False)
class Finish:
    """The requantization of a layer: the short form where every channel has it."""

    requant: Requant

    @classmethod
    def of(cls, requant: Requant) -> Finish:
        short = isinstance(requant, ShortRequant) and bool(requant.short.all())
        return cls(requant if short else requant.generic)

    @property
    def common(self) -> int | None:
        """The constant that all channels add, if the form adds one and it is the same."""
        return self.requant.common_constant if isinstance(self.requant, ShortRequant) else None

    @cached_property
    def tables(self) -> dict[str, np.ndarray]:
        """The words of each channel, [channels] each, in the order of the stream."""
        form = self.requant
        if isinstance(form, GenericRequant):
            left = {"left": form.left} if form.common_left is None else {}
            return {"multiplier": form.multiplier, "right": form.right, **left}
        constant = {} if self.common is not None else {"constant": form.constant}
        mirror = {"mirror": form.mirror} if self._is_mirrored else {}
        return {"multiplier": form.multiplier, **constant, **mirror}

    @property
    def _is_mirrored(self) -> bool:
        form = self.requant
        return (
            isinstance(form, ShortRequant)
            and form.sign is not None
            and form.sign.way is SignWay.MIRROR
        )

    @property
    def loaded(self) -> list[str]:
        """The slots that are loaded for each pass, the output pointer first."""
        return ["out", *self.tables, *(["constant"] if self.common is not None else [])]

    @property
    def needs_temporary(self) -> bool:
        form = self.requant
        return form.wide if isinstance(form, GenericRequant) else form.sign is not None

    @property
    def registers(self) -> int:
        """Registers that are needed beside the sums."""
        return len(self.loaded) + self.needs_temporary

    def emit(
        self, sums: Sequence[str], free: Sequence[str], slots: Slots, first: int, step: int
    ) -> list[str]:
        """Codes of the sums, stored ``step`` bytes apart from ``first`` bytes after the output
        pointer on; the first of the free registers then holds the output pointer."""
        at = dict(zip(self.loaded, free, strict=False))
        temporary = free[len(at)] if self.needs_temporary else None
        # The generic form works in place, the short one may not.
        moved = temporary if isinstance(self.requant, ShortRequant) else None
        lines = [f"ldr {register}, [sp, #{slots[name]}]" for name, register in at.items()]
        stores = _Stores(at["out"], first, step)
        for sum_ in sums:
            lines += [*self._requantize(sum_, at, temporary), *stores.store(moved or sum_)]
        return lines + stores.rewind()

    def _requantize(self, sum_: str, at: Mapping[str, str], temporary: str | None) -> list[str]:
        form = self.requant
        if isinstance(form, GenericRequant):
            return emit_generic(
                form,
                acc=sum_,
                multiplier=at["multiplier"],
                out=sum_,
                right=at["right"],
                left=at.get("left"),
                temporary=temporary,
            )
        return emit_short(
            form,
            acc=sum_,
            multiplier=at["multiplier"],
            constant=at["constant"],
            mirror=at.get("mirror"),
            out=temporary or sum_,
        )


class _Stores:
    """Bytes stored one after another, ``step`` apart, also beyond what an offset reaches."""

    def __init__(self, pointer: str, first: int, step: int) -> None:
        self.pointer, self.next, self.step = pointer, first, step
        self.base = 0

    def store(self, code: str) -> list[str]:
        offset, lines = self.next - self.base, []
        if offset > LARGEST_OFFSET:
            lines = add(self.pointer, offset)
            self.base, offset = self.next, 0
        self.next += self.step
        return [*lines, f"strb {code}, [{self.pointer}, #{offset}]"]

    def rewind(self) -> list[str]:
        return add(self.pointer, -self.base)
