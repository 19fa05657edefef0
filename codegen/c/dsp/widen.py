"""Blocks that widen int8 codes to 16 bits, as SMLAD reads them."""

from __future__ import annotations

from tinyflow.codegen.c.blocks import Block

_SIGNATURE = "const int8_t *in, int16_t *out, int32_t count"

_PERMUTED = (
    "push {r4-r10}",
    "subs r2, #16",
    "blo 2f",
    ".balign 4",
    "1:",
    "ldm r0!, {r3-r6}",
    "sxtb16 r7, r3",
    "sxtb16 r8, r3, ror #8",
    "sxtb16 r9, r4",
    "sxtb16 r10, r4, ror #8",
    "stm r1!, {r7-r10}",
    "sxtb16 r7, r5",
    "sxtb16 r8, r5, ror #8",
    "sxtb16 r9, r6",
    "sxtb16 r10, r6, ror #8",
    "stm r1!, {r7-r10}",
    "subs r2, #16",
    "bhs 1b",
    "2:",
    "adds r2, #16",
    "beq 4f",
    ".balign 4",
    "3:",
    "ldr r3, [r0], #4",
    "sxtb16 r7, r3",
    "sxtb16 r8, r3, ror #8",
    "strd r7, r8, [r1], #8",
    "subs r2, #4",
    "bne 3b",
    "4:",
    "pop {r4-r10}",
    "bx lr",
)

_IN_ORDER = (
    "push {r4-r7}",
    "subs r2, #4",
    "blo 2f",
    ".balign 4",
    "1:",
    "ldr r3, [r0], #4",
    "sxtb16 r4, r3",
    "sxtb16 r5, r3, ror #8",
    "pkhbt r6, r4, r5, lsl #16",
    "pkhtb r7, r5, r4, asr #16",
    "strd r6, r7, [r1], #8",
    "subs r2, #4",
    "bhs 1b",
    "2:",
    "adds r2, #4",
    "beq 4f",
    ".balign 4",
    "3:",
    "ldrsb r3, [r0], #1",
    "strh r3, [r1], #2",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "pop {r4-r7}",
    "bx lr",
)

WIDEN_PERMUTED = Block(
    "widen_permuted",
    _SIGNATURE,
    "tinyflow_widen_permuted_s8(in, out, count);",
    _PERMUTED,
    (
        "Codes to 16 bits, the middle two of each four exchanged. count is a multiple of 4, both",
        "pointers are of 4 bytes.",
        "r0 in, r1 out, r2 what is left. 26 cycles for 16 codes.",
    ),
)

WIDEN_IN_ORDER = Block(
    "widen",
    _SIGNATURE,
    "tinyflow_widen_s8(in, out, count);",
    _IN_ORDER,
    (
        "Codes to 16 bits. out is aligned to 4 bytes.",
        "r0 in, r1 out, r2 what is left. 12 cycles for 4 codes.",
    ),
)


def widen(permuted: bool) -> Block:
    return WIDEN_PERMUTED if permuted else WIDEN_IN_ORDER
