"""Fixed-point arithmetic in TensorIR: the contract of `tinyflow.ir.integer`.

``multiplier`` and ``shift`` stand for the real factor ``multiplier * 2**(shift - 31)``. Both are
numbers, or elements of tables with one entry for each channel. What is used twice becomes a local
constant of the function, which is why most functions here take its builder.
"""

from __future__ import annotations

from collections.abc import Callable

from tvm import tirx

from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.ir import Multiplier, Rounding

Shifts = tuple[int, int]
"""The least and the greatest of the shifts that a table holds."""


def requantize(
    build: Builder,
    value: Expr,
    multiplier: Expr,
    shift: Expr,
    rounding: Rounding,
    shifts: Shifts | None = None,
) -> Expr:
    """``value * multiplier * 2**(shift - 31)`` in int32, rounded as the graph says.

    ``value`` is int32. ``shifts`` bound a shift that is no number: what no shift needs is left
    out.
    """
    low, high = shifts or (shift, shift)
    return _ROUNDINGS[rounding](
        build, value, multiplier, low if low == high else shift, (low, high)
    )


def requantize_by(build: Builder, value: Expr, factor: Multiplier, rounding: Rounding) -> Expr:
    """`requantize` with the same multiplier for all elements."""
    return requantize(build, value, factor.multiplier, factor.shift, rounding)


def _double(build: Builder, value: Expr, multiplier: Expr, shift: Expr, shifts: Shifts) -> Expr:
    if _is_number(shift) and shift > 0:
        return _single(build, value, multiplier, shift, shifts)
    product = wide(value) * wide(multiplier)
    if shifts[1] > 0:
        product = product * (wide(1) << wide(tirx.max(narrow(shift), 0)))
    high = narrow((product + wide(1 << 30)) >> wide(31))
    if shifts[0] >= 0:
        return high
    if _is_number(shift):
        return rounding_shift(build, high, -shift)
    right = -narrow(shift) if shifts[1] <= 0 else tirx.max(-narrow(shift), 0)
    return rounding_shift(build, high, build.let("right", right))


def _single(build: Builder, value: Expr, multiplier: Expr, shift: Expr, shifts: Shifts) -> Expr:
    product = wide(value) * wide(multiplier)
    if _is_number(shift):
        return narrow((product + wide(1 << (30 - shift))) >> wide(31 - shift))
    total = build.let("total", 31 - narrow(shift))
    return narrow((product + (wide(1) << wide(total - 1))) >> wide(total))


_ROUNDINGS: dict[Rounding, Callable[[Builder, Expr, Expr, Expr, Shifts], Expr]] = {
    Rounding.DOUBLE: _double,
    Rounding.SINGLE: _single,
}


def rounding_shift(build: Builder, value: Expr, exponent: Expr) -> Expr:
    """``value / 2**exponent`` of an int32, to nearest, ties away from zero; exponent 0 to 31."""
    if _is_number(exponent) and exponent == 0:
        return value
    value = build.let("high", value)
    if _is_number(exponent):
        mask: Expr = const32((1 << exponent) - 1)
        half: Expr = const32(((1 << exponent) - 1) >> 1)
    else:
        ones = tirx.const(1, "uint32") << narrow(exponent, "uint32")
        mask = build.let("mask", narrow(ones - tirx.const(1, "uint32")))
        half = mask >> 1
    rest = build.let("rest", tirx.bitwise_and(value, mask))
    threshold = build.let("threshold", half + narrow(value < 0))
    return (value >> exponent) + narrow(rest > threshold)


def saturate(value: Expr, zero: int, lo: int = -128, hi: int = 127, dtype: str = "int8") -> Expr:
    """``clamp(value + zero, lo, hi)`` of an int32, where the sum may leave 32 bits."""
    return narrow(clamp(value, lo - zero, hi - zero) + zero, dtype)


def clamp(value: Expr, lo: int, hi: int) -> Expr:
    """Of an int32."""
    return tirx.max(tirx.min(value, const32(hi)), const32(lo))


def high_product(a: Expr, b: Expr) -> Expr:
    """The doubled high half of ``a * b`` in int32, ties upward, where it is known to fit."""
    return narrow((wide(a) * wide(b) + wide(1 << 30)) >> wide(31))


def look_up(table: Buffer, code: Expr, lowest: int) -> Expr:
    """The entry of a table for a code of 8 bits; ``lowest`` is the first entry's code."""
    return table[narrow(code) - lowest]


def wide(value: Expr) -> Expr:
    """As int64."""
    return tirx.const(value, "int64") if _is_number(value) else value.astype("int64")


def narrow(value: Expr, dtype: str = "int32") -> Expr:
    """As int32, or another type."""
    return value.astype(dtype)


def const32(value: int) -> Expr:
    return tirx.const(value, "int32")


def _is_number(value: Expr) -> bool:
    return isinstance(value, int)
