"""Where each row and column of an enlarged image lies between two of the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.codegen.tvm.arithmetic import narrow
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.ir.integer import ResizeBilinearForm

ONE = 1 << 10
"""The weights of two neighbours together."""


@dataclass(frozen=True)
class Between:
    """Two neighbours, and the second one's weight."""

    low: Expr
    high: Expr
    weight: Expr

    def mix(self, first: Expr, second: Expr) -> Expr:
        """With 10 bits more than the elements have."""
        return first * (ONE - self.weight) + second * self.weight


@dataclass(frozen=True)
class _Axis:
    low: Buffer
    high: Buffer
    fraction: Buffer


class Places:
    """The tables of both axes."""

    def __init__(self, build: Builder, form: ResizeBilinearForm) -> None:
        self._build = build
        self._rows = self._axis("y", (form.y_lo, form.y_hi, form.y_frac))
        self._columns = self._axis("x", (form.x_lo, form.x_hi, form.x_frac))

    def row(self, y: Expr) -> Between:
        return self._between(self._rows, y, "y")

    def column(self, x: Expr) -> Between:
        return self._between(self._columns, x, "x")

    def _axis(self, name: str, tables: tuple[np.ndarray, ...]) -> _Axis:
        roles = (f"{name}_lo", f"{name}_hi", f"{name}_frac")
        return _Axis(
            *(
                self._build.table(role, data.astype(np.int16))
                for role, data in zip(roles, tables, strict=True)
            )
        )

    def _between(self, axis: _Axis, at: Expr, name: str) -> Between:
        let = self._build.let
        return Between(
            let(f"{name}_low", narrow(axis.low[at])),
            let(f"{name}_high", narrow(axis.high[at])),
            let(f"{name}_weight", narrow(axis.fraction[at])),
        )
