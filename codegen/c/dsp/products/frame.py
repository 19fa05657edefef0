"""What a block keeps on the stack, and the code around its loops over pixels and groups."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.codegen.c.dsp.products.epilogue import Epilogue
from tinyflow.codegen.c.dsp.products.shape import GROUP, ProductShape

SIGNATURE = "const int16_t *const *runs, const int32_t *weights, int8_t *out, int32_t count"
"""``runs`` point at the first pixel's; ``count`` times a block's pixels are computed."""

_SAVED = "r4-r11"
_LARGEST_OFFSET = 4095


@dataclass(frozen=True)
class Frame:
    """Offsets from the stack pointer: the runs of the current pixels, a word of 0 after them,
    single words, and what was carried from run to run."""

    runs: int

    @property
    def end(self) -> int:
        """Where the current run ends."""
        return 4 * (self.runs + 1)

    @property
    def cursor(self) -> int:
        """Where the next run stands in this frame."""
        return 4 * (self.runs + 2)

    @property
    def weights(self) -> int:
        return 4 * (self.runs + 3)

    @property
    def weights_end(self) -> int:
        return 4 * (self.runs + 4)

    @property
    def out(self) -> int:
        return 4 * (self.runs + 5)

    @property
    def count(self) -> int:
        return 4 * (self.runs + 6)

    @property
    def constant(self) -> int:
        return 4 * (self.runs + 7)

    @property
    def carried(self) -> int:
        """Sums of the odd channels, pixel by pixel: four words at most."""
        return 4 * (self.runs + 8)

    @property
    def nbytes(self) -> int:
        return -(-4 * (self.runs + 12) // 8) * 8


def enter(shape: ProductShape, epilogue: Epilogue, stream_bytes: int) -> list[str]:
    """Saves registers, fills the frame; the weights are in r1 afterwards."""
    frame = Frame(shape.runs)
    lines = [f"push {{{_SAVED}, lr}}", f"sub sp, #{frame.nbytes}"]
    for k in range(shape.runs):
        lines += [f"ldr r4, [r0, #{4 * k}]", f"str r4, [sp, #{4 * k}]"]
    lines += [
        "movs r4, #0",
        f"str r4, [sp, #{4 * shape.runs}] @ after the last run",
        *load_number("r4", stream_bytes),
        "add r4, r4, r1",
        f"str r1, [sp, #{frame.weights}]",
        f"str r4, [sp, #{frame.weights_end}]",
        f"str r2, [sp, #{frame.out}]",
        f"str r3, [sp, #{frame.count}]",
    ]
    if epilogue.constant is not None:
        lines += load_number("r4", epilogue.constant)
        lines.append(f"str r4, [sp, #{frame.constant}]")
    return lines


def next_pixels(shape: ProductShape, pixels: int, out: str) -> list[str]:
    """After all groups of some pixels: on to the next ones at label 1, or back to the caller.

    ``out`` holds where the last group was stored, 4 further if all of it was.
    """
    frame = Frame(shape.runs)
    done = GROUP * (shape.groups - 1) if shape.tail else shape.out_c
    lines = [
        *add_number(out, pixels * shape.out_step - done, "r3"),
        f"str {out}, [sp, #{frame.out}]",
        f"ldr r2, [sp, #{frame.count}]",
        f"ldr r1, [sp, #{frame.weights}]",
        "subs r2, #1",
        "beq 9f",
        f"str r2, [sp, #{frame.count}]",
    ]
    for k in range(shape.runs):
        step = 2 * pixels * shape.pixel_step
        lines += [f"ldr r2, [sp, #{4 * k}]", *add_number("r2", step, "r3")]
        lines.append(f"str r2, [sp, #{4 * k}]")
    return [*lines, "b 1b", "9:", f"add sp, #{frame.nbytes}", f"pop {{{_SAVED}, pc}}"]


def start_group(shape: ProductShape) -> list[str]:
    """r0 becomes the first run, and the cursor points at the second."""
    frame = Frame(shape.runs)
    if not shape.has_run_loop:
        return ["ldr r0, [sp]"]
    return ["add r2, sp, #4", f"str r2, [sp, #{frame.cursor}]", "ldr r0, [sp]"]


def next_run(shape: ProductShape) -> list[str]:
    """On to the next run at label 3, if there is one."""
    frame = Frame(shape.runs)
    return [
        f"ldr r2, [sp, #{frame.cursor}]",
        "ldr r0, [r2], #4",
        f"str r2, [sp, #{frame.cursor}]",
        "cmp r0, #0",
        "bne 3b",
    ]


def add_number(register: str, value: int, temporary: str) -> list[str]:
    if value == 0:
        return []
    if abs(value) <= _LARGEST_OFFSET:
        name = "addw" if value > 0 else "subw"
        return [f"{name} {register}, {register}, #{abs(value)}"]
    return [*load_number(temporary, value), f"add {register}, {register}, {temporary}"]


def load_number(register: str, value: int) -> list[str]:
    """Any 32 bits in one or two instructions."""
    bits = value & 0xFFFFFFFF
    lines = [f"movw {register}, #{bits & 0xFFFF}"]
    return lines if bits < 1 << 16 else [*lines, f"movt {register}, #{bits >> 16}"]
