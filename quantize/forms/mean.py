"""MEAN: the division by the number of elements is folded into the multiplier."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir import Multiplier
from tinyflow.ir.integer import MeanForm
from tinyflow.quantize.fixed_point import INT32_MAX
from tinyflow.quantize.forms.activation import factor, reach
from tinyflow.quantize.site import NoIntegerFormError, Site


def mean_form(site: Site) -> MeanForm:
    attrs: Any = site.node.attrs
    count = int(np.prod([site.input.shape[axis] for axis in attrs.axes]))
    largest = reach(site.input) * count
    if largest > INT32_MAX:
        raise NoIntegerFormError(f"its sums of {count} codes can leave 32 bits")
    whole = factor(
        site.input.params.scale / site.result.params.scale, largest, "scale in / scale out"
    )
    # As many bits as the division takes away are put back before it, so that the multiplier
    # keeps its precision; a right shift beyond 31 bits is not to be had.
    bits = min(count.bit_length() - 1, 32, 31 + whole.shift)
    return MeanForm(Multiplier((whole.multiplier << bits) // count, whole.shift - bits), count)
