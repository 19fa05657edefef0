"""The block for one pixel: the odd last one of a row, and vectors."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.products import carry, frame
from tinyflow.codegen.c.dsp.products.epilogue import Epilogue, Sums
from tinyflow.codegen.c.dsp.products.finish import finish_group
from tinyflow.codegen.c.dsp.products.shape import ProductShape

PIXELS = 1

_SUMS = Sums(upper=("r8", "r10"), lower=("r9", "r11"))
_END, _OUT = "r12", "lr"
_ACTIVATIONS = ("r2", "r3")
_WEIGHTS = (("r4", "r5"), ("r6", "r7"))

COMMENT = (
    "Registers: r0 activations, r1 weight stream, r2 and r3 activations of two steps, r4-r7 their",
    "weights, r8-r11 the sums, r12 end of the run, lr where the codes go.",
    "Two steps take four inputs to four channels: 16 products in 19 cycles.",
)


def lines(shape: ProductShape, epilogue: Epilogue, stream_bytes: int) -> list[str]:
    place = frame.Frame(shape.runs)
    code = [
        *frame.enter(shape, epilogue, stream_bytes),
        ".balign 4",
        "1:",
        "@ The next pixel, all groups of channels.",
        f"ldr {_OUT}, [sp, #{place.out}]",
        ".balign 4",
        "2:",
        "@ The next group: its biases, then its products.",
        f"ldm r1!, {{{', '.join(_SUMS.registers)}}}",
        *(carry.begin(place, (_SUMS,)) if shape.carries else []),
        *frame.start_group(shape),
    ]
    code += _flat(shape) if shape.is_flat else _looped(shape)
    free = ("r0", "r2", "r3", "r4", "r5", "r6", "r7")
    code += ["@ Sums to codes."]
    code += finish_group(shape, epilogue, (_SUMS,), _OUT, free, keeps_out=True)
    return [*code, *frame.next_pixels(shape, PIXELS, _OUT)]


def _flat(shape: ProductShape) -> list[str]:
    code = []
    for run in range(shape.runs):
        if run:
            code.append(f"ldr r0, [sp, #{4 * run}]")
        code += _steps(shape.steps, run * shape.steps)
    return [*code, *frame.add_number("r1", 8 * shape.runs * shape.steps, "r2")]


def _looped(shape: ProductShape) -> list[str]:
    unrolling = shape.unrolling
    code = []
    if shape.has_run_loop:
        code += [".balign 4", "3:", "@ The next run."]
    if unrolling.loops:
        code += [f"mov {_END}, r0", *frame.add_number(_END, 4 * shape.steps, "r2")]
    code += _steps(unrolling.rest)
    code += frame.add_number("r1", 8 * unrolling.rest, "r2")
    if unrolling.loops:
        code += frame.add_number("r0", 4 * unrolling.rest, "r2")
        code += [
            ".balign 4",
            "4:",
            *_steps(unrolling.body),
            f"adds r0, #{4 * unrolling.body}",
            f"adds r1, #{8 * unrolling.body}",
            f"cmp r0, {_END}",
            "bne 4b",
        ]
    place = frame.Frame(shape.runs)
    if shape.carries:
        code += carry.after_run(place, (_SUMS,), "r7", ("r2", "r3"))
    if shape.has_run_loop:
        code += frame.next_run(shape)
    return code + (carry.finish(place, (_SUMS,), "r7") if shape.carries else [])


def _steps(count: int, weight_step: int = 0) -> list[str]:
    """Steps in twos; ``weight_step`` is the first one's in the stream from r1 on."""
    code = []
    for first in range(0, count, 2):
        now = range(first, min(first + 2, count))
        for register, step in zip(_ACTIVATIONS, now, strict=False):
            code.append(f"ldr {register}, [r0, #{4 * step}]")
        for weights, step in zip(_WEIGHTS, now, strict=False):
            for pair, weight in enumerate(weights):
                code.append(f"ldr {weight}, [r1, #{8 * (weight_step + step) + 4 * pair}]")
        for activation, weights, _ in zip(_ACTIVATIONS, _WEIGHTS, now, strict=False):
            for pair, weight in enumerate(weights):
                upper, lower = _SUMS.upper[pair], _SUMS.lower[pair]
                code += [
                    f"smlad {upper}, {weight}, {activation}, {upper}",
                    f"sxtb16 {weight}, {weight}",
                    f"smlad {lower}, {weight}, {activation}, {lower}",
                ]
    return code
