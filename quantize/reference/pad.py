"""PAD in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyflow.ir.integer import PadForm
from tinyflow.quantize.site import Site


def pad(site: Site, x: np.ndarray) -> np.ndarray:
    form: Any = site.node.integer
    attrs: Any = site.node.attrs
    assert isinstance(form, PadForm)
    return np.pad(x, attrs.pads, constant_values=form.value)
