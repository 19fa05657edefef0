"""MAXIMUM and MINIMUM: operands and result have one scale, so codes compare as reals do."""

from __future__ import annotations

from tinyflow.ir.integer import IntegerForm
from tinyflow.quantize.forms.broadcast import check_operands
from tinyflow.quantize.site import Site


def extremum_form(site: Site) -> IntegerForm:
    check_operands(site)
    return IntegerForm()
