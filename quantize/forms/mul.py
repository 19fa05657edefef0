"""MUL: one multiplier for the product of both codes."""

from __future__ import annotations

from typing import Any

from tinyflow.ir.integer import MulForm
from tinyflow.quantize.forms.activation import clamp_codes, factor, reach
from tinyflow.quantize.forms.broadcast import check_operands
from tinyflow.quantize.site import Site


def mul_form(site: Site) -> MulForm:
    attrs: Any = site.node.attrs
    check_operands(site)
    a, b = site.operands
    real = a.params.scale * b.params.scale / site.result.params.scale
    output = factor(real, reach(a) * reach(b), "scale a * scale b / scale out")
    return MulForm(output, *clamp_codes(attrs.clamp, site.result))
