"""Shared by ADD, SUB and MUL."""

from __future__ import annotations

from tinyflow.quantize.site import NoIntegerFormError, Site


def check_operands(site: Site) -> None:
    """Activations carry the batch first, so only equal ranks broadcast at any batch size."""
    rank = len(site.result.shape)
    for operand in site.operands:
        if not operand.is_constant and len(operand.shape) != rank:
            raise NoIntegerFormError(
                f"its operand '{operand.name}' has rank {len(operand.shape)}, the result {rank}"
            )
