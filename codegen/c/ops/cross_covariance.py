"""CROSS_COVARIANCE."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.add import factor
from tinyflow.codegen.schedule import Demand, find_view
from tinyflow.ir import Graph, Node, as_nhwc
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.ir.ops.tokens import token_shape


def bind(layer: Layer) -> list[KernelCall]:
    rows = [layer.input_rows(i) for i in range(3)]
    fields = cross_covariance_fields(layer)
    return [layer.call("cross_covariance_s8", fields, rows, scratch=layer.scratch)]


def cross_covariance_fields(layer: Layer) -> list[FieldLine]:
    """What both kernels know of the layer."""
    form = layer.form
    q, k, v = layer.operands[:3]
    _, height, width, _ = as_nhwc(q.shape)
    _, heads, depth = sizes(layer.graph, layer.node)
    return [
        {"height": height, "width": width},
        {"heads": heads, "depth": depth},
        {"q_zero": q.params.zero_point, "k_zero": k.params.zero_point},
        {"v_zero": v.params.zero_point, "out_zero": layer.result.params.zero_point},
        {"least_q": form.least_q, "least_k": form.least_k},
        factor("out", form.output),
        {"spare": form.spare},
        {"multiplier": layer.table("multiplier", form.multiplier)},
        {"shift": layer.table("shift", form.shift)},
    ]


def sizes(graph: Graph, node: Node) -> tuple[int, int, int]:
    """(tokens, heads, channels of a head)."""
    attrs = node.attrs
    assert isinstance(attrs, CrossCovarianceAttrs)
    tokens, channels = token_shape(graph.result(node).shape, "result")
    return tokens, attrs.heads, channels // attrs.heads


def demand(graph: Graph, node: Node) -> Demand:
    """The shares of a head, and two words for each of its channels in queries and in keys."""
    _, _, depth = sizes(graph, node)
    return Demand(4 * depth * depth + 16 * depth, overwrites=queries_lie_apart(graph, node))


def queries_lie_apart(graph: Graph, node: Node) -> bool:
    """Whether keys and values have other memory than queries, which results may take. They are
    needed until the last head is done."""
    q, *others = (_origin(graph, name) for name in node.inputs[:3])
    return q not in others


def _origin(graph: Graph, name: str) -> str:
    """The tensor of whose memory this one is a view."""
    producer = graph.producer(name)
    while producer is not None and find_view(graph, producer) is not None:
        name = producer.inputs[0]
        producer = graph.producer(name)
    return name
