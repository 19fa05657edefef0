"""Attributes of layers that slide a window, as torch states them."""

from __future__ import annotations

from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir.ops.spatial import Pair


def image_pair(layer: Layer, name: str, rank: int, default: int) -> Pair:
    """(rows, columns) of an attribute that is one number, or one for each of ``rank`` axes; a 1-D
    layer has ``default`` for its rows."""
    value = layer.attributes.get(name)
    numbers = [default] if value is None or value == [] else value
    numbers = [numbers] if isinstance(numbers, int) else [int(n) for n in numbers]
    if len(numbers) == 1:
        return (default if rank == 1 else numbers[0], numbers[0])
    if len(numbers) != rank:
        raise RefusalError(f"the {name} {numbers} of {layer.op} does not fit {rank} image axes")
    return (numbers[0], numbers[1])
