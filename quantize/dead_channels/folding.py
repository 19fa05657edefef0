"""What an input channel adds to the sums of a layer, where that does not depend on anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.quantize.intervals import ChannelRange
from tinyflow.quantize.intervals.accumulate import centred_weight
from tinyflow.quantize.intervals.valid_taps import valid_taps
from tinyflow.quantize.site import Site


@dataclass(frozen=True, eq=False)
class Folding:
    """``allowed`` bool and ``amount`` int64, both [out channels, in channels].

    Where it is allowed, the input channel adds the same ``amount`` to the output channel's sum at
    every pixel: it has no weight there, or it is constant and, unless its code is the zero point,
    padding hides nothing of it.
    """

    allowed: np.ndarray
    amount: np.ndarray

    @classmethod
    def of(cls, site: Site, x: ChannelRange) -> Folding:
        """For a layer without groups that sums over its input channels."""
        weight = centred_weight(site)
        allowed = ~weight.any(axis=(1, 2))
        amount = np.zeros(allowed.shape, dtype=np.int64)
        offset = x.lo - site.input.params.zero_point
        allowed |= x.constant & (offset == 0)
        columns = np.flatnonzero(x.constant & (offset != 0))
        if not len(columns):
            return cls(allowed, amount)
        rows, cols = (taps.astype(np.int64) for taps in valid_taps(site))
        sums = np.einsum("oklc,rk,pl->orpc", weight[..., columns], rows, cols, optimize=True)
        sums = sums.reshape(len(weight), -1, len(columns)) * offset[columns]
        same = (sums == sums[:, :1]).all(axis=1)
        allowed[:, columns] |= same
        amount[:, columns] = np.where(same, sums[:, 0], 0)
        return cls(allowed, amount)
