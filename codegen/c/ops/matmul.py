"""MATMUL."""

from __future__ import annotations

from collections.abc import Mapping

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer, Rows
from tinyflow.codegen.c.ops.add import factor
from tinyflow.ir import Graph, Node, Tensor
from tinyflow.ir.ops.matmul import MatmulAttrs, depth


def bind(layer: Layer) -> list[KernelCall]:
    fields: list[FieldLine] = [
        *shape_fields(layer.graph, layer.node),
        {**zeros(layer), "out_zero": layer.result.params.zero_point},
        factor("out", layer.form.output),
        {"lo": layer.form.lo, "hi": layer.form.hi},
    ]
    return [layer.call("matmul_s8", fields, operand_rows(layer))]


def operand_rows(layer: Layer) -> tuple[Rows, Rows]:
    return layer.input_rows(0), layer.input_rows(1)


def zeros(layer: Layer) -> Mapping[str, int]:
    a, b = layer.operands
    return {"a_zero": a.params.zero_point, "b_zero": b.params.zero_point}


def shape_fields(graph: Graph, node: Node) -> list[FieldLine]:
    """How both kernels walk over the operands. With rank 3 a row of the result is one line of
    the product; with rank 4 it is a product of its own."""
    attrs = node.attrs
    assert isinstance(attrs, MatmulAttrs)
    a, b = graph.operands(node)
    result = graph.result(node).shape
    stacked = len(result) == 4
    a_line_step, a_step = _steps(a, attrs.transpose_a)
    b_step, b_column_step = _steps(b, attrs.transpose_b)
    return [
        {"height": result[1], "lines": result[2] if stacked else 1},
        {"depth": depth(attrs, a.shape), "columns": result[-1]},
        {"a_is_whole": int(reads_all_of_a(graph, node)), "b_is_whole": int(not stacked)},
        {"a_line_step": a_line_step, "a_step": a_step},
        {"b_column_step": b_column_step, "b_step": b_step},
    ]


def reads_all_of_a(graph: Graph, node: Node) -> bool:
    """Whether one row of the result needs all rows of ``a``: its columns are the lines."""
    attrs = node.attrs
    assert isinstance(attrs, MatmulAttrs)
    return attrs.transpose_a and len(graph.result(node).shape) == 3


def _steps(tensor: Tensor, transposed: bool) -> tuple[int, int]:
    """Bytes to the next row and to the next column of a matrix as the product takes it."""
    steps = (tensor.shape[-1], 1)
    return (steps[1], steps[0]) if transposed else steps
