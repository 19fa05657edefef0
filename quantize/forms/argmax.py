"""ARGMAX: indices of channels, which are no codes of another scale."""

from __future__ import annotations

from tinyflow.ir import IntegerForm
from tinyflow.quantize.site import NoIntegerFormError, Site


def argmax_form(site: Site) -> IntegerForm:
    params = site.result.params
    if (params.scale, params.zero_point) != (1.0, 0):
        raise NoIntegerFormError("its indices must have scale 1 and zero point 0")
    return IntegerForm()
