"""The comments of the generated C: banners, and what stands above each layer's function."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence

from tinyflow.codegen.c.layer import Layer
from tinyflow.codegen.c.names import comment_text
from tinyflow.codegen.schedule import Placement
from tinyflow.ir import Tensor

_WIDTH = 96


def block(lines: Sequence[str]) -> str:
    """A block comment of one or more lines."""
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in lines), " */"])


def layer_title(layer: Layer) -> str:
    node = layer.node
    return f"Step {layer.step.index}, {node.op.value}: {comment_text(node.name)}"


def layer_comment(layer: Layer) -> str:
    """Operation, source layers, operands with shapes and scales, attributes, arena offsets."""
    node = layer.node
    lines = [layer_title(layer)]
    if node.sources not in ((), (node.name,)):
        sources = "; ".join(comment_text(s).replace(";", "; ") for s in node.sources)
        lines += _wrap(f"from {sources}")
    return block([*lines, *_signature(layer, lambda it: describe(it, layer.schedule.placements))])


def function_comment(layer: Layer) -> list[str]:
    """The lines above a function made for layers of one shape: operation, element types, shapes,
    attributes."""
    return [layer.node.op.value, *_signature(layer, _type)]


def _signature(layer: Layer, tell: Callable[[Tensor], str]) -> list[str]:
    """A line for each operand and for the result, and the attributes."""
    rows = list(zip(layer.roles, layer.operands, strict=True))
    width = max(len("out"), *(len(role) for role, _ in rows))
    return [
        *(f"  {role:<{width}}  {tell(tensor)}" for role, tensor in [*rows, ("out", layer.result)]),
        *_wrap(comment_text(str(layer.node.attrs))),
    ]


def _type(tensor: Tensor) -> str:
    """Element type and shape."""
    return f"{tensor.dtype.value} [{','.join(map(str, tensor.shape))}]"


def describe(tensor: Tensor, places: Mapping[str, Placement]) -> str:
    """Element type, shape, quantization and place of a tensor."""
    parts = [_type(tensor)]
    if tensor.quant is not None and tensor.quant.axis is None:
        parts.append(f"scale {tensor.quant.scale:.6g}, zero {tensor.quant.zero_point}")
    elif tensor.quant is not None:
        parts.append(f"a scale per channel (axis {tensor.quant.axis})")
    if tensor.name in places:
        parts.append(f"at arena + {places[tensor.name].offset}")
    return ", ".join(parts)


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )
