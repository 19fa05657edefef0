"""The arithmetic of l2_norm_words_s8.h against that of the portable kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.compiled import SANITIZE, WARNINGS, call
from tests.support.paths import ROOT
from tinyflow.ir import Rounding

_PROGRAM = """#include <stdio.h>
#include "dsp/l2_norm_words_s8.h"

static int differs(int32_t squares, int32_t value)
{
    const tinyflow_l2_norm_factor factor = tinyflow_l2_norm_inverse_root(squares);
    const tinyflow_l2_norm_factor found = tinyflow_l2_norm_words_inverse_root(squares);
    const tinyflow_l2_norm_scale scale = tinyflow_l2_norm_fit(squares);
    const int32_t sum =
        tinyflow_smlaw_lower(scale.multiplier, (uint32_t)value, scale.start);
    const int32_t code = tinyflow_requantize(value, factor.multiplier, factor.shift + 7);
    return found.multiplier != factor.multiplier || found.shift != factor.shift ||
           tinyflow_l2_norm_code(sum, scale.shift, scale.again) !=
               tinyflow_clamp(code, INT8_MIN, INT8_MAX);
}

int main(void)
{
    long count = 0;
    for (int64_t squares = 0; squares <= INT32_MAX; squares += 1 + squares / 3000) {
        for (int32_t value = -255; value <= 255; value += 1 + (int32_t)(squares % 7)) {
            if ((int64_t)value * value <= squares) {
                ++count;
                if (differs((int32_t)squares, value)) {
                    printf("%ld of %ld\\n", (long)value, (long)squares);
                    return 1;
                }
            }
        }
    }
    printf("%ld\\n", count);
    return 0;
}
"""
_KERNELS = ROOT / "firmware" / "kernels"
_DEFINES = {Rounding.DOUBLE: (), Rounding.SINGLE: ("-DTINYFLOW_SINGLE_ROUNDING",)}


@pytest.mark.parametrize("rounding", Rounding)
def test_every_size_of_sum_and_value(rounding: Rounding, tmp_path: Path) -> None:
    """Nothing overflows either, which the sanitizer would say."""
    source, program = tmp_path / "main.c", tmp_path / "main"
    source.write_text(_PROGRAM)
    flags = [*WARNINGS, *SANITIZE, *_DEFINES[rounding], "-O2", f"-I{_KERNELS}"]
    call(["gcc", *flags, source, "-o", program])
    assert int(call([program])) > 1_000_000
