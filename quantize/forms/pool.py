"""MAX_POOL and AVERAGE_POOL."""

from __future__ import annotations

from typing import Any

from tinyflow.ir.integer import PoolForm
from tinyflow.quantize.forms.activation import clamp_codes
from tinyflow.quantize.site import Site


def pool_form(site: Site) -> PoolForm:
    attrs: Any = site.node.attrs
    return PoolForm(*clamp_codes(attrs.clamp, site.result))
