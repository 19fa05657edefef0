"""ADD and SUB: both inputs on a common scale, twice the larger one, 20 bits up."""

from __future__ import annotations

from typing import Any

from tinyflow.ir.integer import AddForm
from tinyflow.quantize.forms.activation import clamp_codes, factor
from tinyflow.quantize.forms.broadcast import check_operands
from tinyflow.quantize.site import NoIntegerFormError, Site

LEFT_SHIFT = 20


def add_form(site: Site) -> AddForm:
    attrs: Any = site.node.attrs
    check_operands(site)
    scale_1, scale_2 = (t.params.scale for t in site.operands)
    twice = 2 * max(scale_1, scale_2)
    scale_out = site.result.params.scale
    real = twice / (2**LEFT_SHIFT * scale_out)
    if real >= 1:
        raise NoIntegerFormError(
            f"its output scale {scale_out:g} is too small for inputs of scale {twice / 2:g}"
        )
    # A code is at most 255 from its zero point: 28 bits, halved by the common scale.
    return AddForm(
        LEFT_SHIFT,
        factor(scale_1 / twice, 255 << LEFT_SHIFT, "its first input's factor"),
        factor(scale_2 / twice, 255 << LEFT_SHIFT, "its second input's factor"),
        factor(real, 255 << LEFT_SHIFT, "its output's factor"),
        *clamp_codes(attrs.clamp, site.result),
    )
