"""The block for two neighbouring pixels."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.products import carry, frame
from tinyflow.codegen.c.dsp.products.epilogue import Epilogue, Sums
from tinyflow.codegen.c.dsp.products.finish import finish_group
from tinyflow.codegen.c.dsp.products.shape import ProductShape

PIXELS = 2

_FIRST = Sums(upper=("r6", "r8"), lower=("r7", "r9"))
_SECOND = Sums(upper=("r10", "r12"), lower=("r11", "lr"))

COMMENT = (
    "Registers: r0 activations, r1 weight stream, r2 and r3 two activations of each pixel, r4 and",
    "r5 two weights of each pair, r6-r9 sums of the first pixel, r10-r12 and lr of the second.",
    "A step takes two inputs to four channels of both pixels: 16 products in 15 cycles.",
)


def lines(shape: ProductShape, epilogue: Epilogue, stream_bytes: int) -> list[str]:
    place = frame.Frame(shape.runs)
    unrolling = shape.unrolling
    code = [
        *frame.enter(shape, epilogue, stream_bytes),
        ".balign 4",
        "1:",
        "@ The next two pixels, all groups of channels.",
    ]
    if unrolling.loops and not shape.has_run_loop:
        code += ["ldr r0, [sp]", *_end_of_run(shape, place)]
    code += [
        ".balign 4",
        "2:",
        "@ The next group: its biases, then its products.",
        f"ldm r1!, {{{', '.join(_FIRST.registers)}}}",
        *_begin(shape, place),
        *frame.start_group(shape),
    ]
    if shape.is_flat:
        code += _flat(shape)
    else:
        code += _looped(shape, place)
    code += [
        "@ Sums to codes.",
        f"ldr r2, [sp, #{place.out}]",
        *finish_group(
            shape, epilogue, (_FIRST, _SECOND), "r2", ("r0", "r3", "r4", "r5"), keeps_out=False
        ),
    ]
    return [*code, *frame.next_pixels(shape, PIXELS, "r2")]


def _begin(shape: ProductShape, place: frame.Frame) -> list[str]:
    """From the biases in the first pixel's registers to all sums."""
    if shape.carries:
        return carry.begin(place, (_FIRST, _SECOND))
    return [f"mov {b}, {a}" for a, b in zip(_FIRST.registers, _SECOND.registers, strict=True)]


def _flat(shape: ProductShape) -> list[str]:
    code = []
    for run in range(shape.runs):
        if run:
            code.append(f"ldr r0, [sp, #{4 * run}]")
        for step in range(shape.steps):
            code += _step(shape, step, run * shape.steps + step)
    return [*code, *frame.add_number("r1", 8 * shape.runs * shape.steps, "r2")]


def _looped(shape: ProductShape, place: frame.Frame) -> list[str]:
    unrolling = shape.unrolling
    code = []
    if shape.has_run_loop:
        code += [".balign 4", "3:", "@ The next run."]
        if unrolling.loops:
            code += _end_of_run(shape, place)
    for step in range(unrolling.rest):
        code += _step(shape, step, step)
    code += frame.add_number("r1", 8 * unrolling.rest, "r2")
    if unrolling.loops:
        code += frame.add_number("r0", 4 * unrolling.rest, "r2")
        code += [".balign 4", "4:"]
        for step in range(unrolling.body):
            code += _step(shape, step, step)
        code += [
            f"adds r0, #{4 * unrolling.body}",
            f"adds r1, #{8 * unrolling.body}",
            f"ldr r2, [sp, #{place.end}]",
            "cmp r0, r2",
            "bne 4b",
        ]
    if shape.carries:
        code += carry.after_run(place, (_FIRST, _SECOND), "r5", ("r0", "r2", "r3", "r4"))
    if shape.has_run_loop:
        code += frame.next_run(shape)
    return code + (carry.finish(place, (_FIRST, _SECOND), "r5") if shape.carries else [])


def _end_of_run(shape: ProductShape, place: frame.Frame) -> list[str]:
    length = 4 * shape.steps
    return ["mov r2, r0", *frame.add_number("r2", length, "r3"), f"str r2, [sp, #{place.end}]"]


def _step(shape: ProductShape, step: int, weight_step: int) -> list[str]:
    """Two inputs: ``step`` of the run, ``weight_step`` of the stream from r1 on."""
    code = [
        f"ldr r2, [r0, #{4 * step}]",
        f"ldr r3, [r0, #{4 * step + 2 * shape.pixel_step}]",
        f"ldr r4, [r1, #{8 * weight_step}]",
        f"ldr r5, [r1, #{8 * weight_step + 4}]",
    ]
    for pair, weight in enumerate(("r4", "r5")):
        for activation, sums in (("r2", _FIRST), ("r3", _SECOND)):
            acc = sums.upper[pair]
            code.append(f"smlad {acc}, {weight}, {activation}, {acc}")
        code.append(f"sxtb16 {weight}, {weight}")
        for activation, sums in (("r2", _FIRST), ("r3", _SECOND)):
            acc = sums.lower[pair]
            code.append(f"smlad {acc}, {weight}, {activation}, {acc}")
    return code
