"""From sums to codes, one column of a tile at a time."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.products.epilogue import Epilogue
from tinyflow.codegen.c.dsp.products.frame import add_number
from tinyflow.codegen.c.dsp.winograd.frame import FRAME
from tinyflow.codegen.c.dsp.winograd.stream import GROUP

_FREE = ("r8", "r10", "r11", "r12", "lr")
"""Registers beside the sums and the stream."""

_ROWS = (0, 1)


def finish_column(epilogue: Epilogue, out_c: int, column: int) -> list[str]:
    """Stores the codes of r0-r3 in the upper row and of r4-r7 in the lower one.

    r9 goes on behind the words of the requantization. After the second column the next channels'
    places are in the frame.
    """
    free = list(_FREE)
    per_channel = len(epilogue.tables)
    needed = per_channel + (epilogue.constant is not None) + epilogue.needs_temporary
    outs: dict[int, str] = {}
    lines: list[str] = []

    def load_out(row: int) -> None:
        outs[row] = free.pop(0)
        lines.append(f"ldr {outs[row]}, [sp, #{FRAME.out(row)}]")

    load_out(0)
    if needed < len(free):
        load_out(1)
    constant = temporary = ""
    if epilogue.constant is not None:
        constant = free.pop(0)
        lines.append(f"ldr {constant}, [sp, #{FRAME.constant}]")
    if epilogue.needs_temporary:
        temporary = free.pop(0)
    channel = 0
    while channel < GROUP:
        count = min(len(free) // per_channel, GROUP - channel)
        words, free[: count * per_channel] = free[: count * per_channel], []
        first = 8 + 4 * channel * per_channel
        lines += [f"ldr {word}, [r9, #{first + 4 * i}]" for i, word in enumerate(words)]
        for i in range(count):
            mine = words[i * per_channel : (i + 1) * per_channel]
            for row in _ROWS:
                if row not in outs:
                    # It had to wait for the register of the first sum.
                    load_out(row)
                store = f"[{outs[row]}, #{column * out_c + channel}]"
                sum_ = f"r{channel + GROUP * row}"
                lines += epilogue.lines(sum_, mine, constant, temporary, store)
                free.append(sum_)
            channel += 1
        free += words
    if column:
        for row, out in outs.items():
            lines += [f"add {out}, #{GROUP}", f"str {out}, [sp, #{FRAME.out(row)}]"]
    return lines + add_number("r9", 4 * GROUP * per_channel, "r8")
