"""MATMUL, two products an instruction."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.words.requant_layer import find_layer_requant, requant_fields
from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops.matmul import operand_rows, shape_fields, zeros
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.ir import Graph, Node, Op
from tinyflow.ir.ops.matmul import MatmulAttrs, depth


def demand(graph: Graph, node: Node) -> Demand:
    """16 bits for the columns of ``b``, which come in twos, and for two lines of ``a``.

    Lines are widened before results are written over their place; columns of ``a`` are not.
    """
    attrs = node.attrs
    assert isinstance(attrs, MatmulAttrs)
    vectors = -(-graph.result(node).shape[-1] // 2) * 2 + 2
    return Demand(2 * _padded(graph, node) * vectors, overwrites=not attrs.transpose_a)


def bind(layer: Layer) -> list[KernelCall]:
    assert layer.graph.rounding is not None
    a_zero, b_zero = zeros(layer).values()
    products = [(a - a_zero) * (b - b_zero) for a in (-128, 127) for b in (-128, 127)]
    terms = depth(layer.attrs, layer.operands[0].shape)
    found = find_layer_requant(
        layer.form.output,
        layer.graph.rounding,
        layer.result.params.zero_point,
        (layer.form.lo, layer.form.hi),
        (terms * min(products), terms * max(products)),
    )
    fields: list[FieldLine] = [
        *shape_fields(layer.graph, layer.node),
        {**zeros(layer), "padded": _padded(layer.graph, layer.node)},
        *requant_fields(found),
    ]
    rows = operand_rows(layer)
    return [layer.call("matmul_dsp_s8", fields, rows, scratch=layer.scratch, folder="dsp/")]


def _padded(graph: Graph, node: Node) -> int:
    attrs = node.attrs
    assert isinstance(attrs, MatmulAttrs)
    return -(-depth(attrs, graph.operands(node)[0].shape) // 2) * 2


MATMUL = Variant("dsp", Op.MATMUL, bind, frozenset({Feature.DSP}), demand=demand)
