"""Operations that move codes, or choose among them: in float they do the same."""

from __future__ import annotations

import numpy as np

from tinyflow.ir import OPS
from tinyflow.quantize.site import Site


def move(site: Site, *arrays: np.ndarray) -> np.ndarray:
    return OPS[site.node.op].evaluate(site.node.attrs, *arrays)
