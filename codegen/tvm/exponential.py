"""The exponential in 32-bit fixed point, as TFLite Micro's kernels have it."""

from __future__ import annotations

from tinyflow.codegen.tvm.arithmetic import high_product, rounding_shift
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr

_EXP_MINUS_EIGHTH = 1895147668
"""exp(-1/8) in Q0.31."""
_THIRD = 715827883
_BARREL = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2**i / 4) in Q0.31."""
_QUARTER = 1 << 24
"""In Q5.26."""


def exponential(build: Builder, result: Buffer, x: Expr) -> None:
    """Stores ``exp(x)`` in Q0.31 for ``x <= 0`` in Q5.26, a local constant: the last quarter by
    series, the rest by powers of two."""
    last = build.let("last", (x & (_QUARTER - 1)) - _QUARTER)
    rest = build.let("rest", last - x)
    build.store(result, _series(build, last), 0)
    for i, factor in enumerate(_BARREL):
        with build.when((rest & (_QUARTER << i)) != 0):
            build.store(result, high_product(result[0], factor), 0)
    with build.when(x == 0):
        build.store(result, (1 << 31) - 1, 0)


def _series(build: Builder, last: Expr) -> Expr:
    """``exp(last)`` for -1/4 <= last < 0: four Taylor terms around -1/8."""
    t = build.let("t", last * 32 + (1 << 28))
    t2 = build.let("t2", high_product(t, t))
    fourth = rounding_shift(high_product(t2, t2), 2)
    third = build.let("third", fourth + high_product(t2, t))
    half = rounding_shift(high_product(third, _THIRD) + t2, 1)
    return high_product(build.let("sum", t + half), _EXP_MINUS_EIGHTH) + _EXP_MINUS_EIGHTH
