"""scaled_dot_product_attention and softmax."""

from __future__ import annotations

from tinyflow.importers.common.attention import attention, grouped_attention
from tinyflow.importers.common.axes import softmax_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.elementwise import unary_of
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import Op


def convert_attention(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Without mask and dropout; grouped queries too; any scale."""
    if layer.has(3) or layer.flag("is_causal"):
        raise RefusalError("scaled_dot_product_attention with a mask is not supported")
    if layer.number("dropout_p", 0.0) != 0.0:
        raise RefusalError(
            "scaled_dot_product_attention has dropout", "call model.eval() before the export"
        )
    q, k, v = (builder.value(layer, i) for i in range(3))
    scale = layer.number("scale", q.shape[-1] ** -0.5)
    of = grouped_attention if layer.flag("enable_gqa") else attention
    return (of(layer, builder, q, k, v, scale),)


def convert_softmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis; another than the last costs transposes."""
    return (softmax_of(layer, builder, builder.value(layer), layer.integer("dim", -1)),)


def convert_log_softmax(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Over any axis; becomes the logarithm of a softmax."""
    x, axis = builder.value(layer), layer.integer("dim", -1)
    probabilities = softmax_of(layer, builder, x, axis, "softmax")
    return (unary_of(layer, builder, Op.LOG, probabilities),)
