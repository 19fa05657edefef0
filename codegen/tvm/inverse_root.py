"""One over the square root in fixed point."""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.builder import Builder, Expr

_CUBIC = (1309134556, 3344675073, 3173392722, 1670943197)
"""2.4384531, 6.2299428, 5.9109046 and 3.1123743 in Q3.29: `tinyflow.quantize.inverse_root`."""
_STEPS = 2


def unsigned(value: int) -> Expr:
    return tirx.const(value, "uint32")


def upper_word(a: Expr, b: Expr, bits: int = 32) -> Expr:
    """``a * b / 2**bits`` of two uint32, rounded down, as uint32."""
    product = a.astype("uint64") * b.astype("uint64")
    return (product >> tirx.const(bits, "uint64")).astype("uint32")


def inverse_root(build: Builder, x: Expr) -> Expr:
    """``2**29 / sqrt(x / 2**32)`` of a uint32 in a local constant, ``2**30 <= x``: a cubic, then
    Newton steps ``y * (3 - x * y * y) / 2``."""
    root = build.registers("root", 1, "uint32")
    build.store(root, unsigned(_CUBIC[0]), 0)
    for coefficient in _CUBIC[1:]:
        build.store(root, unsigned(coefficient) - upper_word(x, root[0]), 0)
    with build.loop("step", _STEPS):
        square = build.let("square", upper_word(root[0], root[0], 29))
        rest = build.let("rest", unsigned(3 << 29) - upper_word(x, square))
        build.store(root, upper_word(root[0], rest, 30), 0)
    return root[0]
