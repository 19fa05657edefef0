"""Where LiteRT's reference kernels are known to compute something else than TFLite Micro's.

Each was found with models of one operation and random codes, TFLite Micro being the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyflow.ir import Op


@dataclass(frozen=True)
class Deviation:
    """At most ``codes`` off, because of what ``why`` says."""

    codes: int
    why: str


LITERT: Mapping[Op, Deviation] = {
    Op.FULLY_CONNECTED: Deviation(1, "LiteRT requantizes fully connected layers in floating point"),
}
