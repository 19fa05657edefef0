"""The block that transforms the inputs of a strip."""

from __future__ import annotations

from tinyflow.codegen.c.blocks import Block
from tinyflow.codegen.c.dsp.products.frame import add_number, load_number
from tinyflow.codegen.c.dsp.winograd.plan import Plan

_SIGNATURE = "const int8_t *in, int8_t *kept, int16_t *planes, int32_t rows, int32_t stride"

_COMMENT = (
    "Winograd's inputs of a strip: d1 + d2, d2 - d1, d0 - d2, d1 - d3 of each row and channel.",
    "r0 in, r1 kept, r2 planes of sums and of the first differences, r3 the other two, both 4",
    "bytes behind; r4-r7 four channels of d0..d3, r8-r11 two of them widened, r12 a result, lr",
    "where the row of kept ends. 33 cycles for four channels, 10 for a row.",
)


def transform_block(plan: Plan) -> Block:
    pitch = 2 * plan.pitch
    lines = [
        "push {r4-r11, lr}",
        "ldr r4, [sp, #36]",
        "sub sp, #12",
        *add_number("r4", -plan.in_c, "r5"),
        "str r4, [sp] @ from the end of a row to the next one",
        *load_number("r4", plan.in_c),
        "mla r5, r4, r3, r1",
        "str r5, [sp, #4] @ where kept ends",
        "sub r2, #4",
        "mov r3, r2",
        *add_number("r3", 2 * pitch, "r4"),
        "mov lr, r1",
        "1:",
        "@ A row.",
        *add_number("lr", plan.in_c, "r4"),
        ".balign 4",
        "2:",
        "@ Four channels: the even ones, then the odd ones.",
        "ldr r4, [r1]",
        f"ldr r6, [r0, #{plan.in_c}]",
        f"ldr r7, [r0, #{2 * plan.in_c}]",
        "ldr r5, [r0], #4",
        "str r6, [r1], #4",
        *_two_channels("", pitch),
        *_two_channels(", ror #8", pitch),
        "cmp r1, lr",
        "bne 2b",
        "ldr r4, [sp]",
        "ldr r5, [sp, #4]",
        "add r0, r0, r4",
        "cmp r1, r5",
        "bne 1b",
        "add sp, #12",
        "pop {r4-r11, pc}",
    ]
    constants = f"{plan.in_c}, {plan.pitch}"
    return Block(
        stem=f"winograd_transform_{plan.in_c}",
        signature=_SIGNATURE,
        twin=f"tinyflow_winograd_transform_s8(in, kept, planes, rows, stride, {constants});",
        lines=tuple(lines),
        comment=_COMMENT,
    )


def _two_channels(rotate: str, pitch: int) -> list[str]:
    return [
        f"sxtb16 r8, r4{rotate}",
        f"sxtb16 r9, r5{rotate}",
        f"sxtb16 r10, r6{rotate}",
        f"sxtb16 r11, r7{rotate}",
        "sadd16 r12, r9, r10",
        "ssub16 r8, r8, r10",
        "ssub16 r10, r10, r9",
        "ssub16 r9, r9, r11",
        "str r12, [r2, #4]!",
        "str r8, [r3, #4]!",
        f"str r10, [r2, #{pitch}]",
        f"str r9, [r3, #{pitch}]",
    ]
