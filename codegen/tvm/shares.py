"""Softmax in base 2, from int32 scores to the 16-bit shares by which attentions mix values:
firmware/kernels/shares.h says it in C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import narrow, saturate, wide, word
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.inverse_root import unsigned, upper_word
from tinyflow.ir.integer import Multiplier
from tinyflow.ir.powers import ENTRIES, POWERS, REST_BITS

_FRACTION_BITS = 24
_SUM_BITS = 23
"""Of the sum of all shares, at most."""


@dataclass(frozen=True)
class DecayExpr:
    """The fields of a `tinyflow.ir.integer.Decay`: ``multiplier``, ``left`` and ``limit`` as
    uint32."""

    multiplier: Expr
    left: Expr
    limit: Expr


@dataclass(frozen=True)
class Mean:
    """``factor * 2**-shift`` is the result's scale over the sum of shares: both int32."""

    factor: Expr
    shift: Expr


def power_table(build: Builder) -> Buffer:
    """`POWERS` as a table of the layer."""
    return build.table("powers", POWERS.astype(np.int32))


def shares(
    build: Builder,
    row: tuple[Buffer, tuple[Expr, ...]],
    count: int,
    largest: Expr,
    decay: DecayExpr,
    spare: int,
    powers: Buffer,
) -> Expr:
    """Puts shares in the place of ``count`` scores, of which ``largest`` is the largest; their
    sum. ``row`` is a buffer and the indices of the scores in it but for the last."""
    buffer, place = row
    carried, total = build.registers("carried", 1), build.registers("total", 1)
    build.store(carried, 1 << 15, 0)
    build.store(total, 0, 0)
    with build.loop("j", count) as j:
        # The distance of two scores may need all 32 bits.
        distance = narrow(largest, "uint32") - narrow(buffer[(*place, j)], "uint32")
        near = tirx.min(distance, decay.limit) << decay.left
        fall = narrow(upper_word(near, decay.multiplier)) + (spare << _FRACTION_BITS)
        power = _power_of_two(build, build.let("fall", fall), powers)
        build.store(carried, (carried[0] & 0xFFFF) + power, 0)
        share = build.let("share", carried[0] >> 16)
        build.store(buffer, share, *place, j)
        build.store(total, total[0] + share, 0)
    return total[0]


def _power_of_two(build: Builder, t: Expr, powers: Buffer) -> Expr:
    """``32767 * 2**16 * 2**-t`` for t in units of 2**-24, rounded down."""
    entry_bits = ENTRIES.bit_length() - 1
    rest_shift = _FRACTION_BITS - entry_bits - REST_BITS
    word = build.let("word", powers[(t >> (_FRACTION_BITS - entry_bits)) & (ENTRIES - 1)])
    slope = narrow(narrow(word, "int16"))
    rest = (t >> rest_shift) & ((1 << REST_BITS) - 1)
    return (word + slope * rest) >> tirx.min(t >> _FRACTION_BITS, 31)


def mean_of(build: Builder, total: Expr, output: Multiplier) -> Mean:
    """The real factor ``output`` over the sum of a row's shares, with 25 bits of the reciprocal:
    2**47 over the sum in [2**22, 2**23), eight bits at a time."""
    divisor = build.registers("divisor", 1, "uint32")
    shift = build.registers("shift", 1)
    build.store(divisor, narrow(total, "uint32"), 0)
    build.store(shift, 30 + _SUM_BITS - output.shift, 0)
    with build.repeat(divisor[0] < unsigned(1 << (_SUM_BITS - 1))):
        build.store(divisor, divisor[0] << unsigned(1), 0)
        build.store(shift, shift[0] - 1, 0)
    reciprocal = build.registers("reciprocal", 1, "uint32")
    rest = build.registers("rest", 1, "uint32")
    build.store(reciprocal, tirx.truncdiv(unsigned(1 << 31), divisor[0]), 0)
    build.store(rest, tirx.truncmod(unsigned(1 << 31), divisor[0]), 0)
    with build.loop("step", 2):
        build.store(rest, rest[0] << unsigned(8), 0)
        digits = tirx.truncdiv(rest[0], divisor[0])
        build.store(reciprocal, (reciprocal[0] << unsigned(8)) | digits, 0)
        build.store(rest, tirx.truncmod(rest[0], divisor[0]), 0)
    factor = narrow(upper_word(reciprocal[0], unsigned(output.multiplier), 25))
    return Mean(build.let("factor", factor), shift[0])


def mean_code(total: Expr, mean: Mean, zero: int) -> Expr:
    """The int8 code of a sum of shares times values, rounded once, ties upward."""
    half = wide(1) << wide(mean.shift - 1)
    value = (wide(total) * wide(mean.factor) + half) >> wide(mean.shift)
    return saturate(word(value), zero)
