"""The structures of firmware/kernels/dsp/requant_dsp.h, as C initializers."""

from __future__ import annotations

from collections.abc import Mapping

from tinyflow.codegen.c.dsp.requant.generic import GenericRequant
from tinyflow.codegen.c.dsp.requant.saturation import Saturation
from tinyflow.codegen.c.dsp.requant.short import ShortRequant
from tinyflow.ir import Rounding


def short_literal(form: ShortRequant) -> str:
    """A tinyflow_short_requant."""
    fields: dict[str, int | str] = {"lift": form.lift, "rounded": int(form.rounded)}
    if form.sign is not None:
        fields["sign"] = f"TINYFLOW_SIGN_{form.sign.way.name}"
        fields["bits"] = form.sign.bits
    return braces(
        {**fields, "shift": form.shift, "saturation": saturation_literal(form.saturation)}
    )


def generic_literal(form: GenericRequant) -> str:
    """A tinyflow_generic_requant."""
    return braces(
        {
            "held": form.register_shift,
            "wide": int(form.wide),
            "by_sign": int(form.rounding is Rounding.DOUBLE),
            "zero": form.zero - form.saturation.base,
            "saturation": saturation_literal(form.saturation),
        }
    )


def saturation_literal(way: Saturation) -> str:
    """A tinyflow_saturation."""
    lowest = -(1 << (way.bits - 1)) if way.signed else 0
    first, second = way.offsets
    fields = {"lowest": lowest, "highest": lowest + (1 << way.bits) - 1, "offset": first}
    return braces(fields if way.upper is None else {**fields, "again": 1, "last": second})


def braces(fields: Mapping[str, int | str]) -> str:
    """Designated initializers."""
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"
