"""The constants of the C definition of a block, as text."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.products.epilogue import Epilogue
from tinyflow.codegen.c.dsp.products.shape import ProductShape
from tinyflow.codegen.c.dsp.requant import GenericRequant
from tinyflow.codegen.c.dsp.requant.literal import braces, generic_literal, short_literal


def products(shape: ProductShape, epilogue: Epilogue) -> str:
    """A tinyflow_products."""
    fields: dict[str, int | str] = {
        "runs": shape.runs,
        "steps": shape.steps,
        "pixel_step": shape.pixel_step,
        "out_c": shape.out_c,
        "out_step": shape.out_step,
        "carries": int(shape.carries),
        "requant": requant_of(epilogue),
    }
    return f"(tinyflow_products){braces(fields)}"


def requant_of(epilogue: Epilogue) -> str:
    """A tinyflow_products_requant."""
    form, common = epilogue.form, epilogue.common
    fields: dict[str, int | str] = {"words": len(epilogue.tables)}
    if common is not None:
        fields |= {"is_common": 1, "common": common}
    if isinstance(form, GenericRequant):
        return braces({**fields, "generic": generic_literal(form)})
    return braces({"is_short": 1, **fields, "brief": short_literal(form)})
