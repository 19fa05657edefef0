"""The block that lays the runs of a window side by side."""

from __future__ import annotations

from tinyflow.codegen.c.blocks import Block

_WORDS = ("r5", "r6", "r7", "r8", "r9", "r10")


def gather(runs: int, n: int, step: int) -> Block:
    """Windows of ``runs`` runs of ``n`` values, ``step`` values from pixel to pixel."""
    values = runs * n
    lines = ["push {r4-r11, lr}", f"movw r12, #{2 * step}", "mul r2, r2, r12", ".balign 4", "1:"]
    at = 0
    for run in range(runs):
        lines += [f"ldr r4, [r0, #{4 * run}]", "add r4, r4, r2"]
        for first in range(0, n, 2 * len(_WORDS)):
            lines += _copy(first, min(n - first, 2 * len(_WORDS)), at + 2 * first)
        at += 2 * n
    if values % 2:
        lines += ["movs r4, #0", f"strh r4, [r1, #{at}]"]
    lines += [
        f"addw r1, r1, #{2 * (values + values % 2)}",
        "add r2, r2, r12",
        "subs r3, #1",
        "bne 1b",
        "pop {r4-r11, pc}",
    ]
    return Block(
        stem=f"gather_{runs}x{n}_step_{step}",
        signature="const int16_t *const *runs, int16_t *out, int32_t first, int32_t count",
        twin=f"tinyflow_gather_q15({runs}, {n}, {step}, runs, out, first, count);",
        lines=tuple(lines),
        comment=(
            f"{runs} runs of {n} values of each pixel, one behind the other.",
            "r0 runs, r1 out, r2 bytes from pixel 0 to this one, r3 pixels left, r4 the run.",
        ),
    )


def gather_cycles(runs: int, n: int, step: int) -> float:
    """About what one pixel takes: half of the loads and stores may lie between words."""
    words = -(-n // 2)
    unaligned = words * ((n % 2) * (runs // 2) + (step % 2) * runs / 2)
    return runs * (5 + 2 * words) + 6 + unaligned


def _copy(first: int, count: int, at: int) -> list[str]:
    """``count`` values from the run's number ``first`` on to byte ``at`` of the output."""
    registers = _WORDS[: -(-count // 2)]
    odd = count % 2
    loads, stores = [], []
    for i, register in enumerate(registers):
        half = "h" if odd and i == len(registers) - 1 else ""
        loads.append(f"ldr{half} {register}, [r4, #{2 * first + 4 * i}]")
        stores.append(f"str{half} {register}, [r1, #{at + 4 * i}]")
    return [*loads, *stores]
