"""Fixed-point arithmetic in TensorIR: the contract of `tinyflow.ir.integer`.

``multiplier`` and ``shift`` stand for the real factor ``multiplier * 2**(shift - 31)``. Both are
numbers, or elements of tables with one entry for each channel. Rounding is done by the inline
functions of firmware/kernels/requantize.h, so that a reader meets one name for it, not six lines.
"""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.builder import Buffer, Expr
from tinyflow.ir import Multiplier, Rounding


def requantize(value: Expr, multiplier: Expr, shift: Expr) -> Expr:
    """``value * multiplier * 2**(shift - 31)`` of an int32, rounded as the graph says, saturated
    to int32; shift -31 to 30."""
    return _call("int32", "tinyflow_requantize", value, multiplier, shift)


def reduce(value: Expr, multiplier: Expr, right: Expr, rounding: Rounding) -> Expr:
    """`requantize` by shift ``-right``, 0 to 31: code for factors of 1 and more is left out."""
    if rounding is Rounding.SINGLE:
        return requantize(value, multiplier, -right)
    return rounding_shift(_call("int32", "tinyflow_upper_product", value, multiplier), right)


def requantize_by(value: Expr, factor: Multiplier) -> Expr:
    """`requantize` with the same multiplier for all elements."""
    return requantize(value, factor.multiplier, factor.shift)


def rounding_shift(value: Expr, exponent: Expr) -> Expr:
    """``value / 2**exponent`` of an int32, to nearest, ties away from zero; exponent 0 to 31."""
    return _call("int32", "tinyflow_rounding_shift", value, exponent)


def saturate(value: Expr, zero: int, lo: int = -128, hi: int = 127) -> Expr:
    """The int8 code ``clamp(value + zero, lo, hi)`` of an int32; the sum may leave 32 bits."""
    return _call("int8", "tinyflow_output", value, zero, lo, hi)


def word(value: Expr) -> Expr:
    """The int32 that is nearest to an int64."""
    return tirx.call_pure_extern("int32", "tinyflow_saturate", value)


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


def _call(dtype: str, name: str, *operands: Expr) -> Expr:
    """Of a function of the kernels that takes int32."""
    return tirx.call_pure_extern(
        dtype, name, *(const32(each) if _is_number(each) else narrow(each) for each in operands)
    )


def _is_number(value: Expr) -> bool:
    return isinstance(value, int)
