"""One way to requantize for all channels of a layer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinyflow.codegen.c.dsp.requant import Problem, Requant, ShortRequant, search
from tinyflow.codegen.c.dsp.requant.literal import generic_literal, short_literal
from tinyflow.codegen.c.layer import FieldLine
from tinyflow.ir import Multiplier, Rounding


@lru_cache(maxsize=64)
def find_layer_requant(
    factor: Multiplier,
    rounding: Rounding,
    zero: int,
    codes: tuple[int, int],
    sums: tuple[int, int],
) -> Requant:
    """The cheapest form for sums within ``sums``, results clamped to ``codes``; both ends count."""
    (lo, hi), (least, most) = codes, sums
    return search(
        Problem(
            np.array([factor.multiplier]),
            np.array([factor.shift]),
            rounding,
            zero,
            lo,
            hi,
            np.array([least], dtype=np.int64),
            np.array([most], dtype=np.int64),
        )
    )


def requant_fields(form: Requant) -> list[FieldLine]:
    """The members of a tinyflow_layer_requant that is called ``requant``."""
    if isinstance(form, ShortRequant) and form.short[0]:
        return [
            {"requant.is_short": 1, "requant.multiplier": int(form.multiplier[0])},
            {
                "requant.constant": int(form.constant[0]),
                "requant.mirror": int(form.mirror[0]),
            },
            {"requant.brief": short_literal(form)},
        ]
    generic = form.generic
    return [
        {"requant.multiplier": int(generic.multiplier[0])},
        {"requant.left": int(generic.left[0]), "requant.right": int(generic.right[0])},
        {"requant.generic": generic_literal(generic)},
    ]
