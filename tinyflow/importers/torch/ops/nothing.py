"""Operations that leave their input as it is."""

from __future__ import annotations

import torch

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError


def convert_nothing(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Dropped."""
    return (builder.value(layer),)


def convert_cast(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Dropped between float types; to any other type it is refused."""
    kind = layer.attributes.get("dtype")
    if isinstance(kind, torch.dtype) and not kind.is_floating_point:
        name = str(kind).removeprefix("torch.")
        raise RefusalError(f"a cast to {name} is not supported", "keep the model in float")
    return (builder.value(layer),)
