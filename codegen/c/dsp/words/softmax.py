"""SOFTMAX with its powers of e in a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.codegen.c.dsp.requant import arithmetic
from tinyflow.codegen.c.dsp.words.exponentials import exp_of_negative
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.softmax import size_fields
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Op, Rounding

_COUNTS_FROM = 1 << 11
"""A smaller power is rounded away in the sum, whose unit is 2**12, and in the code, whose is at
least 2**15."""


def powers(form: Any, rounding: Rounding) -> np.ndarray:
    """e^(-i * scale) in Q0.31, int32, for i codes below the largest one. All that lies beyond is
    like the last entry, if that is not the 256th."""
    below = np.arange(min(256, 1 - form.diff_min))
    scale = form.input
    x = arithmetic.requantize(-below, np.int64(scale.multiplier), np.int64(scale.shift), rounding)
    found = np.array([exp_of_negative(int(value)) for value in x], dtype=np.int32)
    found = found[found >= _COUNTS_FROM]
    return found if len(found) == 256 else np.append(found, np.int32(0))


def bind(layer: Layer) -> list[KernelCall]:
    assert layer.graph.rounding is not None
    table = powers(layer.form, layer.graph.rounding)
    fields: list[FieldLine] = [
        *size_fields(layer),
        {"last": len(table) - 1, "powers": layer.table("powers", table)},
    ]
    return [layer.call("softmax_table_s8", fields, folder="dsp/")]


SOFTMAX = Variant("dsp", Op.SOFTMAX, bind, frozenset({Feature.DSP}))
