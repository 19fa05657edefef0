"""The block that computes tiles of two rows by two pixels."""

from __future__ import annotations

from tinyflow.codegen.c.blocks import Block
from tinyflow.codegen.c.dsp.products.epilogue import Epilogue
from tinyflow.codegen.c.dsp.products.frame import add_number, load_number
from tinyflow.codegen.c.dsp.products.literal import requant_of
from tinyflow.codegen.c.dsp.winograd.finish import finish_column
from tinyflow.codegen.c.dsp.winograd.frame import FRAME
from tinyflow.codegen.c.dsp.winograd.plan import Plan
from tinyflow.codegen.c.dsp.winograd.stream import GROUP

USUAL_UNROLL = 8
"""Steps of the inner loop, at most: 450 bytes of code."""

STAGED_UNROLL = 4
"""The same where flash is slow: then the whole block stays in an instruction cache of 1 KiB."""

_SIGNATURE = (
    "int8_t *out0, int8_t *out1, const int16_t *planes, const int32_t *stream, const int32_t *end"
)
_SUMS = "r0-r7"
_STEP_CYCLES = 16
_LOOP_CYCLES = 5


def tile_block(plan: Plan, epilogue: Epilogue, most_unroll: int = USUAL_UNROLL) -> Block:
    run, pitch = 4 * plan.steps, 2 * plan.pitch
    unroll = max(n for n in range(1, most_unroll + 1) if plan.steps % n == 0)
    lines = [
        *_enter(plan, epilogue),
        "b 4f",
        "@ The products of one plane.",
        "1:",
        f"str lr, [sp, #{FRAME.back}]",
        *_sum("r10", "r8", run),
        f"str r10, [sp, #{FRAME.run_end}]",
        ".balign 4",
        "2:",
        *_steps(plan, unroll),
        f"ldr r10, [sp, #{FRAME.run_end}]",
        "cmp r8, r10",
        "bne 2b",
        f"ldr pc, [sp, #{FRAME.back}]",
        ".balign 4",
        "4:",
        "@ Four channels: bias + p, kept; with q, kept; with d0 - d2 the left column.",
        f"ldr r8, [sp, #{FRAME.planes}]",
        "ldrd r0, r1, [r9, #8]!",
        "ldrd r2, r3, [r9, #8]!",
        *(f"mov r{i + GROUP}, r{i}" for i in range(GROUP)),
        "bl 1b",
        f"add r10, sp, #{FRAME.first}",
        f"stm r10, {{{_SUMS}}}",
        *add_number("r8", pitch - run, "r10"),
        "bl 1b",
        f"add r10, sp, #{FRAME.second}",
        f"stm r10, {{{_SUMS}}}",
        *add_number("r8", pitch - run, "r10"),
        "bl 1b",
        *finish_column(epilogue, plan.out_c, 0),
        "@ bias + p - q, out of what was kept; with d1 - d3 the right column.",
        *_differences(),
        f"ldr r8, [sp, #{FRAME.last_plane}]",
        "bl 1b",
        *finish_column(epilogue, plan.out_c, 1),
        f"ldr r10, [sp, #{FRAME.end}]",
        "cmp r9, r10",
        "bne 4b",
        f"add sp, #{FRAME.nbytes}",
        "pop {r4-r11, pc}",
    ]
    constants = (
        f"(tinyflow_winograd_shape){{.steps = {plan.steps}, .in_c = {plan.in_c}, "
        f".out_c = {plan.out_c}, .pitch = {plan.pitch}, .requant = {requant_of(epilogue)}}}"
    )
    return Block(
        stem=f"winograd_tile_{plan.kernel_h}x{plan.in_c}_to_{plan.out_c}",
        signature=_SIGNATURE,
        twin=f"tinyflow_winograd_tile_s8({constants}, out0, out1, planes, stream, end);",
        lines=tuple(lines),
        comment=(
            f"Winograd's products of a tile: 2 rows of 2 pixels, {plan.out_c} channels in fours.",
            "Registers: r0-r3 sums of the upper row's channels, r4-r7 of the lower row's, r8 plane",
            "(4 bytes before the next value), r9 stream (8 bytes before the next word), r10, r11",
            "values of both rows, r12 and lr weights. A step takes two values of each row to four",
            f"channels: 16 products in {_STEP_CYCLES} cycles, where 24 would be needed without the",
            f"transform. {unroll} steps a loop, {_LOOP_CYCLES} cycles for the loop.",
        ),
    )


def _enter(plan: Plan, epilogue: Epilogue) -> list[str]:
    lines = [
        "push {r4-r11, lr}",
        "ldr r4, [sp, #36]",
        f"sub sp, #{FRAME.nbytes}",
        f"str r0, [sp, #{FRAME.out(0)}]",
        f"str r1, [sp, #{FRAME.out(1)}]",
        "sub r2, #4",
        f"str r2, [sp, #{FRAME.planes}]",
        *add_number("r2", 6 * plan.pitch, "r0"),
        f"str r2, [sp, #{FRAME.last_plane}]",
        "sub r4, #8",
        f"str r4, [sp, #{FRAME.end}]",
        "sub r9, r3, #8",
    ]
    if epilogue.constant is not None:
        lines += load_number("r0", epilogue.constant)
        lines.append(f"str r0, [sp, #{FRAME.constant}]")
    return lines


def _steps(plan: Plan, count: int) -> list[str]:
    lower = 2 * plan.in_c
    lines = []
    for u in range(count):
        last = u == count - 1
        lines += [
            f"ldr r11, [r8, #{4 + 4 * u + lower}]",
            f"ldr r10, [r8, #{4 + 4 * u}]{'!' if last else ''}",
            f"ldr r12, [r9, #{8 + 16 * u}]",
            f"ldr lr, [r9, #{12 + 16 * u}]",
            *_products(0),
        ]
        if last:
            lines.append(f"ldrd r12, lr, [r9, #{16 + 16 * u}]!")
        else:
            lines += [f"ldr r12, [r9, #{16 + 16 * u}]", f"ldr lr, [r9, #{20 + 16 * u}]"]
        lines += _products(2)
    return lines


def _products(channel: int) -> list[str]:
    """Two channels of both rows."""
    return [
        f"smlad r{channel}, r12, r10, r{channel}",
        f"smlad r{channel + 4}, r12, r11, r{channel + 4}",
        f"smlad r{channel + 1}, lr, r10, r{channel + 1}",
        f"smlad r{channel + 5}, lr, r11, r{channel + 5}",
    ]


def _differences() -> list[str]:
    """2 * first - second of what was kept: bias + p - q."""
    lines = [f"add lr, sp, #{FRAME.first}", f"ldm lr!, {{{_SUMS}}}"]
    for half, load in ((0, "ldm lr!"), (4, "ldm lr")):
        lines.append(f"{load}, {{r8, r10, r11, r12}}")
        for i, other in enumerate(("r8", "r10", "r11", "r12"), half):
            lines.append(f"rsb r{i}, {other}, r{i}, lsl #1")
    return lines


def _sum(target: str, register: str, value: int) -> list[str]:
    return [f"addw {target}, {register}, #{value}"]
