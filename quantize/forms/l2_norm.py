"""L2_NORM: TFLite's; scales cancel, so that it needs no constants."""

from __future__ import annotations

from typing import Any

from tinyflow.ir.integer import IntegerForm
from tinyflow.quantize.forms.activation import reach
from tinyflow.quantize.forms.fixed_output import check_output
from tinyflow.quantize.site import NoIntegerFormError, Site


def l2_norm_form(site: Site) -> IntegerForm:
    attrs: Any = site.node.attrs
    check_output(site)
    scale, channels = site.input.params.scale, site.input.shape[-1]
    if channels * reach(site.input) ** 2 >= 2**31:
        raise NoIntegerFormError(f"the squares of its {channels} channels can leave 32 bits")
    # A norm is 0 or one code at least; what is 0 stays so.
    if attrs.epsilon > scale:
        raise NoIntegerFormError(
            f"its epsilon {attrs.epsilon:g} is larger than its input's scale {scale:g}"
        )
    return IntegerForm()
