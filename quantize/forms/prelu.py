"""PRELU: one multiplier above zero, one for the product of both codes below."""

from __future__ import annotations

from tinyflow.ir.integer import PreluForm
from tinyflow.quantize.forms.activation import factor, reach
from tinyflow.quantize.forms.broadcast import check_operands
from tinyflow.quantize.site import Site


def prelu_form(site: Site) -> PreluForm:
    check_operands(site)
    x, slope = site.operands
    above = x.params.scale / site.result.params.scale
    below = x.params.scale * slope.params.scale / site.result.params.scale
    return PreluForm(
        factor(above, reach(x), "scale in / scale out"),
        factor(below, reach(x) * reach(slope), "scale in * scale slope / scale out"),
    )
