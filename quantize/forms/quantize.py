"""QUANTIZE: the same reals in other codes."""

from __future__ import annotations

from tinyflow.ir.integer import TableForm
from tinyflow.quantize.forms.table import rescaled, table_of
from tinyflow.quantize.site import Site


def quantize_form(site: Site) -> TableForm:
    real = site.input.params.scale / site.result.params.scale
    return table_of(site, rescaled(site, real))
