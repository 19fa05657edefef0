"""The end of a group of channels: its sums become codes, and the next group begins."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.codegen.c.dsp.products.epilogue import Epilogue, Sums
from tinyflow.codegen.c.dsp.products.frame import Frame
from tinyflow.codegen.c.dsp.products.shape import GROUP, ProductShape


def finish_group(
    shape: ProductShape,
    epilogue: Epilogue,
    pixels: Sequence[Sums],
    out: str,
    free: Sequence[str],
    keeps_out: bool,
) -> list[str]:
    """Stores the codes of a group and goes on to the next one at label 2.

    ``out`` holds where they belong, and the frame must too unless the register ``keeps_out``
    through the products. ``free`` are at least four registers in ascending order. r1 reads on in
    the weight stream. Of the last group only the channels that exist are stored, then control
    leaves at label 8.
    """
    frame, free = Frame(shape.runs), list(free)
    constant = temporary = ""
    lines = []
    if epilogue.constant is not None:
        constant = free.pop(0)
        lines.append(f"ldr {constant}, [sp, #{frame.constant}]")
    if epilogue.needs_temporary:
        temporary = free.pop()
    words_left = GROUP * len(epilogue.tables)
    for channels, words in epilogue.chunks(free, shape.tail or GROUP):
        lines += _load(words)
        words_left -= len(words)
        per_channel = len(epilogue.tables)
        for i, channel in enumerate(channels):
            mine = words[i * per_channel : (i + 1) * per_channel]
            for p, sums in enumerate(pixels):
                alone, acc = sums.alone(channel, shape.carries)
                store = f"[{out}, #{p * shape.out_step + channel}]"
                lines += [*alone, *epilogue.lines(acc, mine, constant, temporary, store)]
        if channels.stop == shape.tail:
            lines += [
                f"ldr {free[0]}, [sp, #{frame.weights_end}]",
                f"sub {free[0]}, #{4 * words_left}",
                f"cmp r1, {free[0]}",
                "beq 8f @ the last group has no more channels",
            ]
    lines.append(f"add {out}, #{GROUP}")
    if not keeps_out:
        lines.append(f"str {out}, [sp, #{frame.out}]")
    if shape.tail:
        return [*lines, "b 2b", "8:"]
    return [*lines, f"ldr {free[0]}, [sp, #{frame.weights_end}]", f"cmp r1, {free[0]}", "bne 2b"]


def _load(words: Sequence[str]) -> list[str]:
    if len(words) == 1:
        return [f"ldr {words[0]}, [r1], #4"]
    return [f"ldm r1!, {{{', '.join(words)}}}"]
