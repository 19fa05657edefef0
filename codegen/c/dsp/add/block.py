"""The block of ADD and SUB."""

from __future__ import annotations

from tinyflow.codegen.c.blocks import Block
from tinyflow.codegen.c.dsp.add.short_sum import ShortSum
from tinyflow.codegen.c.dsp.requant import emit_saturation

PER_TURN = 8
"""Elements of one turn of the loop: two words of each operand."""

_SIGNATURE = "int8_t *out, const int8_t *a, const int8_t *b, int32_t count, const tinyflow_sum *sum"


def sum_block(form: ShortSum) -> Block:
    """Whole turns of elements. Factors and constants come with each call, so that layers that
    shift and saturate alike share the block."""
    first = [*_load_words(), *_codes_of_word(0, form)]
    second = [*_load_words(), *_codes_of_word(4, form)]
    # A load that follows another load or a store takes 1 cycle; the first one 2.
    element = 3 + 2 * form.by_sign + form.saturation.cycles
    cycles = 1 + 2 * (2 + 4 + 4 * element) + 4
    return Block(
        stem=f"sum_{form.shift}",
        signature=_SIGNATURE,
        twin="tinyflow_sum_codes_s8(out, a, b, count, sum);",
        lines=(
            "push {r4-r11, lr}",
            "ldr r12, [sp, #36]",
            "add r3, r1, r3",
            "ldm r12, {r4-r6, r11}",
            "mov r7, #0xff00ff00",
            ".balign 4",
            "1:",
            *first,
            *second,
            f"adds r0, #{PER_TURN}",
            "cmp r1, r3",
            "bne 1b",
            "pop {r4-r11, pc}",
        ),
        comment=(
            "Codes of a + b, or of a - b: two products with lifted codes, one saturating shift.",
            f"count is a multiple of {PER_TURN}, not 0.",
            "r0 out, r1 a, r2 b, r3 end of a, r4 and r5 factors of a and b, r6 and r11 constants,",
            "r7 mask of the odd bytes, r8 and r9 odd codes of a word of a and b, r12 and lr even",
            f"codes, r10 sum. {cycles} cycles for {PER_TURN} elements.",
        ),
    )


def _load_words() -> list[str]:
    """A word of each operand, as codes times 256 in half-words: even ones and odd ones."""
    return [
        "ldr r8, [r1], #4",
        "ldr r9, [r2], #4",
        "and r12, r7, r8, lsl #8",
        "and lr, r7, r9, lsl #8",
        "and r8, r8, r7",
        "and r9, r9, r7",
    ]


def _codes_of_word(offset: int, form: ShortSum) -> list[str]:
    """Four codes, stored from ``offset`` on."""
    halves = (("r12", "lr", "b"), ("r8", "r9", "b"), ("r12", "lr", "t"), ("r8", "r9", "t"))
    signed = ["add r10, r10, r10, asr #31", "add r10, r10, r11"] if form.by_sign else []
    lines = []
    for i, (a, b, half) in enumerate(halves, offset):
        lines += [
            f"smlaw{half} r10, r4, {a}, r6",
            f"smlaw{half} r10, r5, {b}, r10",
            *signed,
            *emit_saturation(form.saturation, "r10", form.shift),
            f"strb r10, [r0, #{i}]",
        ]
    return lines
