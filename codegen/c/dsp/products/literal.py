"""The constants of the C definition of a block, as text."""

from __future__ import annotations

from collections.abc import Mapping

from tinyflow.codegen.c.dsp.products.epilogue import Epilogue
from tinyflow.codegen.c.dsp.products.shape import ProductShape
from tinyflow.codegen.c.dsp.requant import GenericRequant, Saturation, ShortRequant
from tinyflow.ir import Rounding


def products(shape: ProductShape, epilogue: Epilogue) -> str:
    """A tinyflow_products."""
    fields: dict[str, int | str] = {
        "runs": shape.runs,
        "steps": shape.steps,
        "pixel_step": shape.pixel_step,
        "out_c": shape.out_c,
        "carries": int(shape.carries),
        "requant": requant_of(epilogue),
    }
    return f"(tinyflow_products){_braces(fields)}"


def requant_of(epilogue: Epilogue) -> str:
    """A tinyflow_products_requant."""
    form, common = epilogue.form, epilogue.common
    fields: dict[str, int | str] = {"words": len(epilogue.tables)}
    if common is not None:
        fields |= {"is_common": 1, "common": common}
    if isinstance(form, GenericRequant):
        return _braces({**fields, "generic": _generic(form)})
    return _braces({"is_short": 1, **fields, "brief": _short(form)})


def _short(form: ShortRequant) -> str:
    fields: dict[str, int | str] = {"lift": form.lift, "rounded": int(form.rounded)}
    if form.sign is not None:
        fields["sign"] = f"TINYFLOW_SIGN_{form.sign.way.name}"
        fields["bits"] = form.sign.bits
    return _braces({**fields, "shift": form.shift, "saturation": _saturation(form.saturation)})


def _generic(form: GenericRequant) -> str:
    return _braces(
        {
            "held": form.register_shift,
            "wide": int(form.wide),
            "by_sign": int(form.rounding is Rounding.DOUBLE),
            "zero": form.zero - form.saturation.base,
            "saturation": _saturation(form.saturation),
        }
    )


def _saturation(way: Saturation) -> str:
    lowest = -(1 << (way.bits - 1)) if way.signed else 0
    first, second = way.offsets
    fields = {"lowest": lowest, "highest": lowest + (1 << way.bits) - 1, "offset": first}
    return _braces(fields if way.upper is None else {**fields, "again": 1, "last": second})


def _braces(fields: Mapping[str, int | str]) -> str:
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"
