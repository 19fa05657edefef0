"""MATMUL: one multiplier for all sums of products of both codes."""

from __future__ import annotations

from typing import Any

from tinyflow.ir import NO_CLAMP
from tinyflow.ir.integer import MatmulForm
from tinyflow.ir.ops.matmul import depth
from tinyflow.quantize.forms.activation import clamp_codes, factor, reach
from tinyflow.quantize.site import Site


def matmul_form(site: Site) -> MatmulForm:
    attrs: Any = site.node.attrs
    a, b = site.operands
    real = a.params.scale * b.params.scale / site.result.params.scale
    largest = depth(attrs, a.shape) * reach(a) * reach(b)
    output = factor(real, largest, "scale a * scale b / scale out")
    return MatmulForm(output, *clamp_codes(NO_CLAMP, site.result))
