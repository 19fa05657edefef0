"""Shared by the operations whose output has one possible quantization."""

from __future__ import annotations

from tinyflow.ir import OPS, QuantParams
from tinyflow.quantize.site import NoIntegerFormError, Site


def check_output(site: Site, wanted: QuantParams | None = None) -> None:
    """``wanted`` is the operation's own if not given."""
    wanted = wanted or OPS[site.node.op].output_params
    params = site.result.params
    if wanted is not None and (params.scales, params.zero_points) != (
        wanted.scales,
        wanted.zero_points,
    ):
        raise NoIntegerFormError(
            f"its output has scale {params.scale:g} and zero point {params.zero_point}, "
            f"it must have {wanted.scale:g} and {wanted.zero_point}"
        )
