"""What depends on constants alone is computed once."""

from __future__ import annotations

import numpy as np

from tests.support.graphs import GraphBuilder, assert_same_structure
from tinyflow.ir import Op, QuantParams
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.fold_constants import fold_constants


def test_a_chain_of_constants() -> None:
    b, e = GraphBuilder(), GraphBuilder()
    one, two = b.random("one", (1, 3)), b.random("two", (3,))
    scaled = b.node(Op.MUL, [one, two])
    root = b.node(Op.SIGMOID, [b.node(Op.SUB, [scaled, two])], name="weights")
    y = b.node(Op.ADD, [b.input("x", (1, 3)), root], BinaryAttrs(), name="add")
    before = b.build(y)
    a, c = before.tensors["one"].value.astype(np.float64), before.tensors["two"].value
    value = (1 / (1 + np.exp(-(a * c - c)))).astype(np.float32)
    expected = e.node(Op.ADD, [e.input("x", (1, 3)), e.constant("k", value)], name="add")
    after, changed = fold_constants(before)
    assert changed
    assert_same_structure(after, e.build(expected))
    assert root in after.constants


def test_a_constant_output() -> None:
    b = GraphBuilder()
    b.input("x", (1, 3))
    graph = b.build(b.node(Op.TANH, [b.random("k", (1, 3))]))
    after, _ = fold_constants(graph)
    assert after.nodes == ()
    assert after.outputs == graph.outputs
    assert after.tensors[graph.outputs[0]].is_constant


def test_quantized_constants_are_moved_and_not_computed_with() -> None:
    b = GraphBuilder()
    q = QuantParams.per_tensor(0.5)
    k = b.constant("k", np.arange(6, dtype=np.int8).reshape(1, 2, 3), q)
    moved = b.node(Op.TRANSPOSE, [k], TransposeAttrs((0, 2, 1)), quant=q)
    added = b.node(Op.ADD, [moved, moved], quant=q)
    after, changed = fold_constants(b.build(added))
    assert changed
    assert [node.op for node in after.nodes] == [Op.ADD]
    np.testing.assert_array_equal(
        after.tensors[moved].value, np.arange(6).reshape(1, 2, 3).transpose(0, 2, 1)
    )
    assert after.tensors[moved].quant == q


def test_a_rescale_of_constants_is_not_a_move() -> None:
    b = GraphBuilder()
    k = b.constant("k", np.ones((1, 2), np.int8), QuantParams.per_tensor(0.5))
    graph = b.build(b.node(Op.QUANTIZE, [k], quant=QuantParams.per_tensor(0.25)))
    assert fold_constants(graph)[1] is False
