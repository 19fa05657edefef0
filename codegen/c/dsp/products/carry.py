"""Sums of odd channels that need more than 24 bits: they are taken out of the pairs, run by run."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.codegen.c.dsp.products.epilogue import PAIR_SHIFT, Sums
from tinyflow.codegen.c.dsp.products.frame import Frame


def begin(frame: Frame, pixels: Sequence[Sums]) -> list[str]:
    """The first pixel's registers hold biases, each pair's odd and even one; now what is carried
    begins with the odd one, both sums with the even one."""
    first = pixels[0]
    carried = [f"[sp, #{frame.carried + 4 * i}]" for i in range(2 * len(pixels))]
    upper = [sums.upper[pair] for sums in pixels for pair in range(2)]
    lower = [sums.lower[pair] for sums in pixels[1:] for pair in range(2)]
    return [
        *(f"str {first.upper[i % 2]}, {word}" for i, word in enumerate(carried)),
        *(f"mov {register}, {first.lower[i % 2]}" for i, register in enumerate(upper + lower)),
    ]


def after_run(frame: Frame, pixels: Sequence[Sums], address: str, free: Sequence[str]) -> list[str]:
    """``free`` are registers in ascending order, one for each pair of each pixel."""
    pairs = [(sums.upper[i], sums.lower[i]) for sums in pixels for i in range(2)]
    words = ", ".join(free)
    return [
        "@ The odd channels' sums of this run go to what is carried.",
        f"add {address}, sp, #{frame.carried}",
        f"ldm {address}, {{{words}}}",
        *(f"sub {upper}, {upper}, {lower}" for upper, lower in pairs),
        *(
            f"add {word}, {word}, {upper}, asr #{PAIR_SHIFT}"
            for word, (upper, _) in zip(free, pairs, strict=True)
        ),
        f"stm {address}, {{{words}}}",
        *(f"mov {upper}, {lower}" for upper, lower in pairs),
    ]


def finish(frame: Frame, pixels: Sequence[Sums], address: str) -> list[str]:
    """The odd channels' sums come back to their registers."""
    registers = [sums.upper[i] for sums in pixels for i in range(2)]
    return [
        f"add {address}, sp, #{frame.carried}",
        f"ldm {address}, {{{', '.join(registers)}}}",
    ]
