"""TFLite's SAME and VALID as pixels."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, Pair, same_padding

SAME, VALID = 0, 1


def resolve_padding(
    scheme: int, size: Sequence[int], kernel: Pair, strides: Pair, dilations: Pair = (1, 1)
) -> Padding:
    """``size`` is the image's (height, width)."""
    if scheme == VALID:
        return NO_PADDING
    check_scheme(scheme)
    rows, columns = (same_padding(size[i], kernel[i], strides[i], dilations[i]) for i in (0, 1))
    return rows, columns


def check_scheme(scheme: int) -> None:
    if scheme not in (SAME, VALID):
        raise LayerError(f"its padding scheme {scheme} is unknown")
