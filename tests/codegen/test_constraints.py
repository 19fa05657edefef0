"""Each constraint refuses what it says, naming the source layer, and lets the rest through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import ALL_OPS, random_graph
from tinyflow.codegen.c import find_obstacles
from tinyflow.codegen.c.constraints import (
    EVERY_OP,
    PER_OP,
    constraints_of,
    rule_and_remedy,
)
from tinyflow.codegen.c.ops import BINDINGS
from tinyflow.ir import Attrs, DType, Graph, Op, QuantParams, Tensor
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.quantize.forms import FLOAT_ONLY


def _five_axes() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 2, 2, 2, 2))
    return b.build(b.node(Op.SIGMOID, [x], name="net/layer"))


def _batch_of_two() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (2, 4))
    return b.build(b.node(Op.SIGMOID, [x], name="net/layer"))


def _batch_moved() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4, 2))
    return b.build(b.node(Op.TRANSPOSE, [x], TransposeAttrs((1, 0, 2)), "net/layer"))


def _uint8_activation() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4), DType.UINT8, QuantParams.per_tensor(0.1, 128))
    return b.build(b.node(Op.SIGMOID, [x], name="net/layer"))


def _scale_per_channel() -> Graph:
    b = GraphBuilder()
    quant = QuantParams.per_channel(np.array([0.1, 0.2]), 1)
    x = b.input("x", (1, 2), DType.INT8, quant)
    return b.build(b.node(Op.SIGMOID, [x], name="net/layer"))


def _constant_layer() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    y = b.node(Op.SIGMOID, [b.random("c", (1, 4))], name="net/layer")
    return b.build(b.node(Op.ADD, [x, y], name="sum"))


def _huge() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 2**15, 2**14, 1))
    return b.build(b.node(Op.MEAN, [x], MeanAttrs((1, 2)), "net/layer"))


def _unequal_scales() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4), DType.INT8, QuantParams.per_tensor(0.1))
    y = b.input("y", (1, 4), DType.INT8, QuantParams.per_tensor(0.2))
    out = b.node(Op.CONCAT, [x, y], ConcatAttrs(1), "net/layer", QuantParams.per_tensor(0.1))
    return b.build(out)


def _computed_weight() -> Graph:
    b = GraphBuilder()
    x, w = b.input("x", (1, 4)), b.input("w", (1, 4))
    return b.build(b.node(Op.FULLY_CONNECTED, [x, w], name="net/layer"))


def _int16_weight() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    w = b.constant("w", np.ones((2, 4), np.int16))
    return b.build(b.node(Op.FULLY_CONNECTED, [x, w], name="net/layer"))


def _asymmetric_weight() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4, 4, 1), DType.INT8, QuantParams.per_tensor(0.1))
    w = b.constant("w", np.ones((2, 1, 1, 1), np.int8), QuantParams.per_tensor(0.1, 3))
    y = b.node(Op.CONV_2D, [x, w], name="net/layer", quant=QuantParams.per_tensor(0.1))
    return b.build(y)


def _wide_softmax() -> Graph:
    b = GraphBuilder()
    return b.build(b.node(Op.SOFTMAX, [b.input("x", (1, 4096))], name="net/layer"))


def _tall_resize() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 1, 1, 1))
    return b.build(b.node(Op.RESIZE_NEAREST, [x], ResizeAttrs((2**15, 1)), "net/layer"))


def _batch_norm() -> Graph:
    b = GraphBuilder()
    return b.build(b.batch_norm(b.input("x", (1, 4)), "net/layer"))


def _division() -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    return b.build(b.node(Op.DIV, [x, b.node(Op.EXP, [x])], name="net/layer"))


def _endless_cross_covariance() -> Graph:
    b = GraphBuilder()
    q = b.input("q", (1, 2**15 + 1, 2))
    operands = [q, q, q, b.random("temperature", (1,))]
    return b.build(b.node(Op.CROSS_COVARIANCE, operands, name="net/layer"))


def _wide_layer_norm() -> Graph:
    b = GraphBuilder()
    return b.build(b.node(Op.LAYER_NORM, [b.input("x", (1, 2**16 + 1))], name="net/layer"))


def _wide_l2_norm() -> Graph:
    b = GraphBuilder()
    return b.build(b.node(Op.L2_NORM, [b.input("x", (1, 33026))], name="net/layer"))


def _attention_to_many() -> Graph:
    b = GraphBuilder()
    q, k, v = (b.input(name, (1, n, 2)) for name, n in (("q", 3), ("k", 4097), ("v", 4097)))
    return b.build(b.node(Op.ATTENTION, [q, k, v], AttentionAttrs(), "net/layer"))


REFUSED: dict[Callable[[], Graph], str] = {
    _five_axes: "at most four axes",
    _batch_of_two: "the batch, and its size is 1",
    _batch_moved: "the batch, and its size is 1",
    _uint8_activation: "uint8 is possible only for",
    _scale_per_channel: "one scale and one zero point",
    _constant_layer: "depends on the model's input",
    _huge: "less than 2 GiB",
    _unequal_scales: "the same scale and zero point",
    _computed_weight: "are constants of the model",
    _int16_weight: "Weights are float32 or int8",
    _asymmetric_weight: "zero points are 0",
    _wide_softmax: "at most 4095 entries",
    _tall_resize: "at most 32767 rows",
    _batch_norm: "folded",
    _division: "A division is by a constant",
    _attention_to_many: "at most 4096 keys",
    _endless_cross_covariance: "at most 32768 tokens",
    _wide_l2_norm: "at most 33025 channels",
    _wide_layer_norm: "at most 65536 channels",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_refuses_with_layer_rule_and_remedy(make: Callable[[], Graph]) -> None:
    (obstacle,) = find_obstacles(make())
    assert obstacle.layer.startswith("net/layer (")
    assert REFUSED[make] in obstacle.reason
    assert obstacle.remedy.endswith(".")


def test_every_constraint_is_exercised() -> None:
    rules = [rule_and_remedy(c) for c in {*EVERY_OP, *(c for cs in PER_OP.values() for c in cs)}]
    assert all(rule.endswith(".") and remedy.endswith(".") for rule, remedy in rules)
    for rule, _ in rules:
        assert any(text in rule for text in REFUSED.values()), rule


def test_lists_all_layers_at_once() -> None:
    b = GraphBuilder()
    x = b.batch_norm(b.input("x", (1, 4096)), "first")
    graph = b.build(b.node(Op.SOFTMAX, [x], name="second"))
    assert [o.layer for o in find_obstacles(graph)] == [
        "first (BATCH_NORM)",
        "second (SOFTMAX)",
    ]


@pytest.mark.parametrize("kind", ["input", "constant"])
def test_refuses_an_output_that_no_layer_computes(kind: str) -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    c = b.random("c", (1, 4))
    y = b.node(Op.SIGMOID, [x])
    (obstacle,) = find_obstacles(b.build(y, x if kind == "input" else c))
    assert obstacle.layer == ("x" if kind == "input" else "c")
    assert kind in obstacle.reason


def test_accepts_what_can_be_compiled() -> None:
    for seed in range(60):
        graph = random_graph(seed)
        assert find_obstacles(graph) == [], graph


def test_accepts_float_graphs() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 8, 8, 3))
    y = b.node(Op.CONV_2D, [x, b.random("w", (4, 3, 3, 3)), b.random("b", (4,))])
    assert find_obstacles(b.build(b.node(Op.SIGMOID, [y]))) == []


def test_uint8_may_enter_through_quantize() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 4), DType.UINT8, QuantParams.per_tensor(0.1, 128))
    graph = b.build(b.node(Op.QUANTIZE, [x], Attrs(), "q"))
    result = replace(graph.tensors["q:0"], dtype=DType.INT8, quant=QuantParams.per_tensor(0.1))
    tensors: dict[str, Tensor] = {**graph.tensors, "q:0": result}
    assert find_obstacles(replace(graph, tensors=tensors)) == []


def test_every_op_has_a_binding_or_a_rule_against_it() -> None:
    assert set(BINDINGS) == {*ALL_OPS, Op.ARGMAX, Op.DETECTION}
    assert set(Op) - set(BINDINGS) == set(FLOAT_ONLY)
    assert all(constraints_of(op)[: len(EVERY_OP)] == EVERY_OP for op in Op)
