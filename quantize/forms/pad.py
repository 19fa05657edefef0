"""PAD: the code of the border's value; 0 is the zero point."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import PadForm
from tinyflow.quantize.site import Site


def pad_form(site: Site) -> PadForm:
    attrs: Any = site.node.attrs
    code = site.result.params.quantize(np.array(attrs.value), site.result.dtype)
    return PadForm(int(code))
