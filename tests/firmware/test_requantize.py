"""The C arithmetic of requantize.h and softmax_s8.h against the fixed-point reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.compiled import SANITIZE, WARNINGS, call
from tests.support.paths import ROOT
from tinyflow.ir import Rounding
from tinyflow.quantize.fixed_point import divide_by_power, high_product, requantize

_PROGRAM = """#include <stdio.h>
#include "softmax_s8.h"
int main(int argc, char **argv)
{
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
    int32_t row[3];
    if (in == NULL || out == NULL) {
        return 1;
    }
    while (fread(row, sizeof row, 1, in) == 1) {
        const int32_t result[4] = {
            tinyflow_requantize(row[0], row[1], row[2]),
            row[2] <= 0 ? tinyflow_rounding_shift(row[0], -row[2]) : 0,
            tinyflow_high_product(row[0], row[1]),
            tinyflow_product_in_halves(row[0], row[1]),
        };
        fwrite(result, sizeof result, 1, out);
    }
    return fclose(out) != 0 || fclose(in) != 0;
}
"""
_KERNELS = ROOT / "firmware" / "kernels"
_DEFINES = {Rounding.DOUBLE: (), Rounding.SINGLE: ("-DTINYFLOW_SINGLE_ROUNDING",)}


def _cases() -> np.ndarray:
    """Rows (x, multiplier, shift): corners and ties by every shift, then random ones."""
    rng = np.random.default_rng(3)
    corners = [0, 1, -1, 2, -2, 3, -3, 2**31 - 1, -(2**31), 2**30, -(2**30), 2**30 - 1]
    rows = []
    for shift in range(-31, 31):
        ties = [s * (1 << k) + d for k in range(0, 30, 3) for s in (1, -1) for d in (-1, 0, 1)]
        for x in corners + ties:
            rows += [(x, m, shift) for m in (2**30, 2**31 - 1, 1518500250)]
        wide = rng.integers(-(2**31), 2**31, 300)
        rows += [(int(x), int(rng.integers(2**30, 2**31)), shift) for x in wide]
    return np.array(rows, dtype=np.int64)


@pytest.mark.parametrize("rounding", Rounding)
def test_arithmetic_equals_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    cases = _cases()
    # Where a left shift leaves 32 bits the reference is not defined; C saturates.
    fits = np.abs(cases[:, 0]) << np.maximum(cases[:, 2], 0) < 2**31
    (tmp_path / "main.c").write_text(_PROGRAM)
    cases.astype(np.int32).tofile(tmp_path / "in.bin")
    flags = [*WARNINGS, *SANITIZE, *_DEFINES[rounding], f"-I{_KERNELS}"]
    call(["gcc", *flags, "-o", tmp_path / "program", tmp_path / "main.c"])
    call([tmp_path / "program", tmp_path / "in.bin", tmp_path / "out.bin"])
    actual = np.fromfile(tmp_path / "out.bin", np.int32).reshape(-1, 4)

    x, multiplier, shift = cases.T
    expected = requantize(x[fits], multiplier[fits], shift[fits], rounding)
    np.testing.assert_array_equal(actual[fits, 0], expected)
    right = shift <= 0
    np.testing.assert_array_equal(actual[right, 1], divide_by_power(x[right], -shift[right]))
    np.testing.assert_array_equal(actual[:, 2], high_product(x, multiplier))
    np.testing.assert_array_equal(actual[:, 3], high_product(x, multiplier))


def test_every_kernel_header_stands_alone(tmp_path: Path) -> None:
    for header in sorted(_KERNELS.glob("*.h")):
        unit = tmp_path / "unit.c"
        unit.write_text(f'#include "{header.name}"\ntypedef int unit_is_not_empty;\n')
        call(["gcc", *WARNINGS, f"-I{_KERNELS}", "-fsyntax-only", unit])
