from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder, assert_same_values, random_inputs
from tinyflow.ir import OPS, Op
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.quantize import QuantizeOptions, quantize_model
from tinyflow.quantize.calibrate import observe_ranges
from tinyflow.quantize.shared_scales import (
    UnionFind,
    activations,
    scale_groups,
    separate_costly_ranges,
    separate_fixed_outputs,
)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_union_find_is_the_least_equivalence(joins):
    sets = UnionFind([str(i) for i in range(10)])
    labels = list(range(10))
    for a, b in joins:
        sets.join(str(a), str(b))
        labels = [labels[a] if label == labels[b] else label for label in labels]
    for i in range(10):
        for j in range(10):
            assert (sets.find(str(i)) == sets.find(str(j))) == (labels[i] == labels[j])
    members = [name for group in sets.sets() for name in group]
    assert sorted(members) == [str(i) for i in range(10)]


_CHOICES = [Op.ADD, Op.CONCAT, Op.FULLY_CONNECTED, Op.RESHAPE, Op.SIGMOID, Op.SOFTMAX, Op.TANH]


@st.composite
def random_graphs(draw):
    """Vectors of 4 through random layers, joined and split again by same-scale operations."""
    b = GraphBuilder(seed=draw(st.integers(0, 99)))
    names = [b.input("x", (1, 4)), b.input("y", (1, 4))]
    for _ in range(draw(st.integers(1, 10))):
        op = draw(st.sampled_from(_CHOICES))
        x, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        if op is Op.FULLY_CONNECTED:
            scale = draw(st.sampled_from([0.01, 1.0, 30.0]))
            names.append(b.node(op, [x, b.random("w", (4, 4), scale)]))
        elif op is Op.CONCAT:
            joined = b.node(op, [x, other], ConcatAttrs(1))
            names.append(b.node(Op.FULLY_CONNECTED, [joined, b.random("w", (4, 8))]))
        elif op is Op.RESHAPE:
            flat = b.node(op, [x], ReshapeAttrs((1, 2, 2)))
            names.append(b.node(op, [flat], ReshapeAttrs((1, 4))))
        elif op is Op.ADD:
            names.append(b.node(op, [x, other]))
        else:
            names.append(b.node(op, [x]))
    return b.build(*names[-2:])


@settings(deadline=None, max_examples=40)
@given(random_graphs())
def test_members_of_a_group_end_with_equal_parameters(graph):
    quantized = quantize_model(graph, random_inputs(graph, batch=4), QuantizeOptions())
    for node in quantized.nodes:
        spec = OPS[node.op]
        out = quantized.result(node).params
        if spec.same_params:
            for operand in quantized.operands(node):
                assert operand.params == out
        if spec.output_params is not None:
            assert out == spec.output_params
    groups = scale_groups(quantized)
    assert sorted(n for g in groups for n in g.members) == sorted(activations(quantized))
    for group in groups:
        assert len({quantized.tensors[n].params for n in group.members}) == 1
        if group.fixed is not None:
            assert quantized.tensors[group.members[0]].params == group.fixed


def inputs_of(graph, name):
    return next(n.inputs for n in graph.nodes if n.name == name)


def test_a_reshape_takes_over_a_fixed_scale():
    b = GraphBuilder()
    s = b.node(Op.SOFTMAX, [b.input("x", (1, 4))])
    graph = b.build(b.node(Op.RESHAPE, [s], ReshapeAttrs((1, 2, 2))))
    after = separate_fixed_outputs(graph)
    assert len(after.nodes) == 2
    group = scale_groups(after)[1]
    assert group.members == ("softmax_0:0", "reshape_1:0")
    assert group.fixed == OPS[Op.SOFTMAX].output_params


def test_two_equal_fixed_scales_are_joined_as_they_are():
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    both = [b.node(Op.SIGMOID, [x]), b.node(Op.SOFTMAX, [x])]
    graph = b.build(b.node(Op.CONCAT, both, ConcatAttrs(1)))
    assert len(separate_fixed_outputs(graph).nodes) == 3


@pytest.mark.parametrize("partner", ["input", "other scale", "constant"])
def test_a_fixed_scale_that_meets_another_gets_a_quantize(partner):
    b = GraphBuilder()
    x = b.input("x", (1, 4))
    s = b.node(Op.SIGMOID, [x], name="squash")
    other = {
        "input": lambda: x,
        "other scale": lambda: b.node(Op.TANH, [x]),
        "constant": lambda: b.random("c", (1, 4)),
    }[partner]()
    graph = b.build(b.node(Op.CONCAT, [s, other], ConcatAttrs(1), name="join"), s)
    after = separate_fixed_outputs(graph)
    rescaled = inputs_of(after, "join")[0]
    made = after.producer(rescaled)
    assert made is not None
    assert (made.op, made.inputs) == (Op.QUANTIZE, (s,))
    assert after.outputs == graph.outputs
    fixed = [g for g in scale_groups(after) if g.fixed is not None]
    assert len(fixed) == (2 if partner == "other scale" else 1)
    assert all(len(g.members) == 1 for g in fixed)
    assert_same_values(after, graph)


def test_a_border_of_its_own_value_needs_a_quantize():
    def padded(value):
        b = GraphBuilder()
        s = b.node(Op.SIGMOID, [b.input("x", (1, 4))])
        return b.build(b.node(Op.PAD, [s], PadAttrs(((0, 0), (1, 1)), value)))

    assert len(separate_fixed_outputs(padded(0.0)).nodes) == 2
    assert len(separate_fixed_outputs(padded(-3.0)).nodes) == 3


def joined(gain: float, read_elsewhere: bool = True):
    """A vector x and a ``gain`` times larger one are joined; x feeds another layer, too."""
    b = GraphBuilder()
    x = b.input("x", (1, 8))
    small = b.node(Op.FULLY_CONNECTED, [x, b.random("w", (8, 8))], name="small")
    large = b.node(Op.FULLY_CONNECTED, [x, b.random("w", (8, 8), gain)], name="large")
    j = b.node(Op.CONCAT, [small, large], ConcatAttrs(1), name="join")
    if not read_elsewhere:
        return b.build(j)
    return b.build(j, b.node(Op.FULLY_CONNECTED, [small, b.random("w", (3, 8))]))


@pytest.mark.parametrize(
    ("graph", "added"),
    [
        (joined(30.0), 1),
        (joined(1.0), 0),
        (joined(30.0, read_elsewhere=False), 0),
    ],
    ids=["costly", "cheap", "costly, but nobody else reads it"],
)
def test_a_costly_shared_scale_gets_a_quantize(graph, added):
    observed = observe_ranges(graph, random_inputs(graph, 32))
    after, ranges = separate_costly_ranges(graph, observed, limit_db=6.0)
    assert len(after.nodes) == len(graph.nodes) + added
    assert set(ranges) == set(activations(after))
    if added:
        first = inputs_of(after, "join")[0]
        assert after.producer(first).inputs == ("small:0",)
        assert ranges[first] == ranges["small:0"]
    assert_same_values(after, graph)


def test_the_quantize_stands_right_before_its_reader():
    graph = joined(30.0)
    after, _ = separate_costly_ranges(graph, observe_ranges(graph, random_inputs(graph, 8)), 6.0)
    ops = [n.op for n in after.nodes]
    assert ops[ops.index(Op.CONCAT) - 1] is Op.QUANTIZE
