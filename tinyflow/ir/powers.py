"""The table from which attentions take powers of two: one for the reference and all backends."""

from __future__ import annotations

import numpy as np

ENTRIES = 64
"""Of a table for one octave."""
TOP = 32767 << 16
"""The power of 0, with 31 bits."""
REST_BITS = 15
"""Of the place between two entries."""


def _powers() -> np.ndarray:
    """Entry i, plus its signed lower half times r in [0, 2**15), is close to
    ``TOP * 2**-((i + r / 2**15) / 64)``: near the value at r = 0, the lower half being the
    slope."""
    ends = TOP * 2.0 ** -(np.arange(ENTRIES + 1) / ENTRIES)
    slopes = np.rint(np.diff(ends) / (1 << REST_BITS)).astype(np.int64)
    upper = np.rint((ends[:-1] - slopes) / (1 << 16)).astype(np.int64)
    return (upper << 16) + slopes


POWERS = _powers()
"""int64 [64] of 32-bit values."""
