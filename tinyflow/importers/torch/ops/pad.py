"""constant_pad_nd."""

from __future__ import annotations

from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.padding import padded


def convert_pad(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Mode constant with any finite value; negative amounts cut."""
    if layer.text("mode", "constant") != "constant":
        raise RefusalError(f"pad in mode '{layer.text('mode', '')}' is not supported")
    x = builder.value(layer)
    # Torch lists pairs from the last axis on.
    amounts = layer.integers("pad") or ()
    pads = [(0, 0)] * len(x.shape)
    for index in range(len(amounts) // 2):
        pads[-1 - index] = (amounts[2 * index], amounts[2 * index + 1])
    return (padded(layer, builder, x, pads, layer.number("value", 0.0)),)
