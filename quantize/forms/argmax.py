"""ARGMAX: indices of channels, which are no codes of another scale."""

from __future__ import annotations

from typing import Any

from tinyflow.ir.integer import ArgmaxForm
from tinyflow.quantize.forms.resize_bilinear import resize_form
from tinyflow.quantize.site import NoIntegerFormError, Site


def argmax_form(site: Site) -> ArgmaxForm:
    attrs: Any = site.node.attrs
    params = site.result.params
    if (params.scale, params.zero_point) != (1.0, 0):
        raise NoIntegerFormError(
            "an index is no code of a real number: nothing but an output of the model can be one"
        )
    return ArgmaxForm(attrs.resize and resize_form(attrs.resize, site.input.shape))
