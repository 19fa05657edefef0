"""The blocks of half-word pairs: four pixels of a channel, or four channels of a pixel.

Both sum the products of one word that all four share with one word of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.codegen.c.blocks import Block, Guard
from tinyflow.codegen.c.layer import Layer
from tinyflow.codegen.c.thumb1.requant import load_requant, requantize
from tinyflow.codegen.c.thumb1.stream import FIRST_ROUNDING, REQUANT_WORDS, pack_pixels

_MOST_STEPS = 7
"""Pairs of the loop's body: a conditional branch reaches 256 bytes back."""

_STACK = 16
_ACTIVATIONS, _END, _STEP = "[sp]", "[sp, #4]", "[sp, #8]"

_SUM = (
    "One product of words is the sum of two of codes: its upper half and, for the borrow, bit 15,",
    "which ASRS leaves in the carry. 22 cycles for 8 products.",
)


@dataclass(frozen=True)
class PairShape:
    """``pairs`` words to a sum. Codes are ``lo`` .. ``lo + span``; with ``relu`` those of sums
    that are not positive are the lowest. ``nudge`` is the first rounding's."""

    pairs: int
    out_c: int
    lo: int
    span: int
    relu: bool
    nudge: int

    @classmethod
    def of(cls, layer: Layer, pairs: int) -> PairShape:
        form, rounding = layer.form, layer.graph.rounding
        assert rounding is not None
        relu = form.lo >= layer.result.params.zero_point
        out_c = layer.result.shape[-1]
        return cls(pairs, out_c, form.lo, form.hi - form.lo, relu, FIRST_ROUNDING[rounding])

    @property
    def literal(self) -> str:
        """A tinyflow_pairs."""
        return (
            f"(tinyflow_pairs){{.pairs = {self.pairs}, .channels = {self.out_c}, "
            f".lo = {self.lo}, .span = {self.span}, .nudge = {self.nudge}}}"
        )


def pixels_block(shape: PairShape) -> Block:
    """Four pixels, channel by channel. See tinyflow_pairs_of_pixels."""
    stream = 4 * shape.out_c * (1 + shape.pairs + REQUANT_WORDS)
    lines = [
        *_enter(shape, stream, 16 * shape.pairs),
        f"str r3, {_STEP}",
        "mov r7, r1",
        "2:",
        "ldm r7!, {r0}",
        f"ldr r6, {_ACTIVATIONS}",
        *(f"movs r{i}, r0" for i in (1, 2, 3)),
        *_sums(shape, "r6"),
        "mov r5, r7",
        *load_requant("r5", 0),
        f"adds r5, #{4 * REQUANT_WORDS}",
        "mov r9, r5",
    ]
    for i in range(4):
        lines += requantize(f"r{i}", shape.relu, shape.span, shape.nudge)
    lines += [f"ldr r4, {_STEP}", "mov r5, r12"]
    for i in range(4):
        lines += [*_add_lowest(f"r{i}", shape.lo), f"strb r{i}, [r5]"]
        lines += ["adds r5, r5, r4"] if i < 3 else []
    lines += ["movs r4, #1", "add r12, r4", "mov r7, r9", *_leave("r7")]
    return Block(
        f"pair_pixels_{2 * shape.pairs}_to_{shape.out_c}",
        "const int32_t *activations, const int32_t *weights, int8_t *out, int32_t step",
        f"tinyflow_pairs_of_pixels({shape.literal}, activations, weights, out, step);",
        tuple(lines),
        (
            f"One channel of four pixels at a time, {2 * shape.pairs} inputs.",
            *_SUM,
            "r0-r3 sums, r4 the weights, r5 products, r6 activations, r7 where weights are read.",
            "r8 the first rounding, r9 the next weights, r10 shift and lr constant of the channel,",
            "r11 where the activations end, r12 out.",
        ),
        Guard.THUMB,
    )


def bind_quads(layer: Layer, rows: np.ndarray, pairs: int) -> str:
    """Keeps a layer's weights [out_c, rows of the window, values] and its block of four pixels;
    the C of its tinyflow_quads."""
    shape = PairShape.of(layer, pairs)
    stream = pack_pixels(layer, rows)
    fields: dict[str, int | str] = {
        "block": layer.block(pixels_block(shape)),
        "weights": layer.packed_weight("weights", stream, 1 + REQUANT_WORDS),
        "pairs": pairs,
        "out_c": shape.out_c,
    }
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"


def channels_block(shape: PairShape) -> Block:
    """Four channels of a pixel. See tinyflow_pairs_of_channels."""
    groups = -(-shape.out_c // 4)
    stream = 16 * groups * (1 + shape.pairs + REQUANT_WORDS)
    lines = [
        *_enter(shape, stream, 4 * shape.pairs),
        "mov r6, r1",
        "2:",
        "ldm r6!, {r0-r3}",
        f"ldr r7, {_ACTIVATIONS}",
        *_sums(shape, "r7"),
        "mov r9, r6",
    ]
    for i in range(4):
        lines += ["mov r5, r9", *load_requant("r5", 4 * REQUANT_WORDS * i)]
        lines += requantize(f"r{i}", shape.relu, shape.span, shape.nudge)
    lines.append("mov r5, r12")
    for i in range(4):
        lines += [*_add_lowest(f"r{i}", shape.lo), f"strb r{i}, [r5, #{i}]"]
    lines += ["adds r5, #4", "mov r12, r5", "mov r6, r9", f"adds r6, #{16 * REQUANT_WORDS}"]
    lines += _leave("r6")
    return Block(
        f"pair_channels_{2 * shape.pairs}_to_{shape.out_c}",
        "const int32_t *activations, const int32_t *weights, int8_t *out",
        f"tinyflow_pairs_of_channels({shape.literal}, activations, weights, out);",
        tuple(lines),
        (
            f"Four channels of one pixel at a time, {2 * shape.pairs} inputs.",
            *_SUM,
            "r0-r3 sums, r4 the activations, r5 products, r6 where weights are read, r7",
            "activations. r8 the first rounding, r9 the channels' constants, r10 shift and lr",
            "constant of a channel, r11 where the activations end, r12 out.",
        ),
        Guard.THUMB,
    )


def _enter(shape: PairShape, stream_bytes: int, activation_bytes: int) -> list[str]:
    """Saves registers; r1 still points at the weights."""
    return [
        "push {r4-r7, lr}",
        *(f"mov r{i}, r{i + 4}" for i in range(4, 8)),
        "push {r4-r7}",
        f"sub sp, #{_STACK}",
        f"str r0, {_ACTIVATIONS}",
        *_load_number("r4", activation_bytes),
        "adds r4, r4, r0",
        "mov r11, r4",
        *_load_number("r4", stream_bytes),
        "adds r4, r4, r1",
        f"str r4, {_END}",
        "mov r12, r2",
        *_load_number("r4", shape.nudge),
        "mov r8, r4",
    ]


def _leave(weights: str) -> list[str]:
    """On to the next sums at label 2, or back to the caller."""
    return [
        f"ldr r4, {_END}",
        f"cmp {weights}, r4",
        "beq 9f",
        "b 2b",
        "9:",
        f"add sp, #{_STACK}",
        "pop {r4-r7}",
        *(f"mov r{i + 4}, r{i}" for i in range(4, 8)),
        "pop {r4-r7, pc}",
    ]


def _sums(shape: PairShape, activations: str) -> list[str]:
    """Adds all products to r0-r3: r7 points at the shared words, r6 at those of each."""
    if shape.pairs <= _MOST_STEPS:
        return _steps(shape.pairs)
    # Few rounds of the loop first, then little code.
    bodies = range(_MOST_STEPS // 2 + 1, _MOST_STEPS + 1)
    body = min(bodies, key=lambda b: (shape.pairs // b, b + shape.pairs % b))
    lines = _steps(shape.pairs % body)
    return [*lines, ".balign 4", "1:", *_steps(body), f"cmp {activations}, r11", "bne 1b"]


def _steps(count: int) -> list[str]:
    lines: list[str] = []
    for k in range(count):
        lines.append(f"ldr r4, [r7, #{4 * k}]")
        for i in range(4):
            lines += [
                f"ldr r5, [r6, #{16 * k + 4 * i}]",
                "muls r5, r4, r5",
                "asrs r5, r5, #16",
                f"adcs r{i}, r5",
            ]
    return [*lines, f"adds r6, #{16 * count}", f"adds r7, #{4 * count}"] if count else []


def _add_lowest(register: str, lo: int) -> list[str]:
    if lo == 0:
        return []
    return [f"adds {register}, #{lo}" if lo > 0 else f"subs {register}, #{-lo}"]


def _load_number(register: str, value: int) -> list[str]:
    """A number below 2^32, byte by byte."""
    digits = value.to_bytes(4, "big").lstrip(b"\0") or b"\0"
    lines = [f"movs {register}, #{digits[0]}"]
    for digit in digits[1:]:
        lines += [f"lsls {register}, {register}, #8", f"adds {register}, #{digit}"]
    return lines
