"""The list of passes as a whole, and the removal of dead nodes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tinyflow.passes
from tests.support.graphs import (
    GraphBuilder,
    assert_same_structure,
    assert_same_values,
)
from tests.support.paths import shared
from tinyflow.ir import RELU, DType, Graph, GraphError, Op, QuantParams, execute
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.passes import PASSES, run_passes
from tinyflow.passes.remove_dead import remove_dead

SAME = ((1, 1), (1, 1))


def _resnet_stem() -> Graph:
    """Pad, convolution, BatchNorm, activation, pad, pool, and a residual sum with BatchNorm."""
    b = GraphBuilder()
    border = ((0, 0), (1, 1), (1, 1), (0, 0))
    y = b.node(Op.PAD, [b.input("x", (1, 12, 12, 3))], PadAttrs(border))
    y = b.node(Op.CONV_2D, [y, b.random("w1", (4, 3, 3, 3))], Conv2DAttrs((2, 2)), name="conv1")
    y = b.node(Op.CLAMP, [b.batch_norm(y)], ClampAttrs(RELU))
    y = b.node(Op.MAX_POOL, [b.node(Op.PAD, [y], PadAttrs(border))], PoolAttrs((3, 3), (2, 2)))
    z = b.node(Op.CONV_2D, [y, b.random("w2", (4, 3, 3, 4))], Conv2DAttrs(padding=SAME))
    y = b.node(Op.ADD, [b.batch_norm(z), y])
    return b.build(b.node(Op.CLAMP, [b.batch_norm(y)], ClampAttrs(RELU)))


def test_a_network() -> None:
    graph = _resnet_stem()
    after = run_passes(graph)
    kinds = [node.op for node in after.nodes]
    assert kinds == [Op.CONV_2D, Op.MAX_POOL, Op.CONV_2D, Op.ADD, Op.DEPTHWISE_CONV_2D]
    assert_same_values(after, graph)
    named = {source for node in after.nodes for source in node.sources}
    assert named == {source for node in graph.nodes for source in node.sources}
    assert_same_structure(run_passes(after), after)


def test_dead_nodes_and_their_constants_go_and_inputs_stay() -> None:
    b = GraphBuilder()
    x, unused = b.input("x", (1, 3)), b.input("unused", (1, 2))
    b.node(Op.FULLY_CONNECTED, [x, b.random("w", (2, 3))])
    before = b.build(b.node(Op.TANH, [x], name="tanh"))
    e = GraphBuilder()
    ex = e.input("x", (1, 3))
    e.input("unused", (1, 2))
    after, changed = remove_dead(before)
    assert changed
    assert_same_structure(after, e.build(e.node(Op.TANH, [ex], name="tanh")))
    assert after.constants == {}
    assert unused in after.tensors
    assert remove_dead(after) == (after, False)


def test_the_checker_names_the_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_something(graph: Graph) -> tuple[Graph, bool]:
        return replace(graph, outputs=("nothing",)), True

    monkeypatch.setattr(tinyflow.passes, "PASSES", (*PASSES, break_something))
    with pytest.raises(GraphError, match=r"after the pass break_something: output 'nothing'"):
        run_passes(_resnet_stem())


def test_passes_that_never_rest_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def restless(graph: Graph) -> tuple[Graph, bool]:
        return graph, True

    monkeypatch.setattr(tinyflow.passes, "PASSES", (restless,))
    with pytest.raises(RuntimeError, match="restless"):
        run_passes(_resnet_stem())


def test_float_passes_leave_quantized_layers_alone() -> None:
    b = GraphBuilder()
    q = QuantParams.per_tensor(0.5, 3)
    y = b.input("x", (1, 4, 4, 2), DType.INT8, q)
    w = b.constant("w", np.ones((2, 1, 1, 2), np.int8), QuantParams.per_tensor(0.1))
    y = b.node(Op.CONV_2D, [y, w], quant=q)
    y = b.node(Op.MUL, [y, b.constant("k", np.ones(2, np.int8), q)], quant=q)
    y = b.node(Op.AVERAGE_POOL, [y], PoolAttrs((4, 4)), quant=q)
    graph = b.build(y)
    assert run_passes(graph) is graph


@pytest.mark.parametrize("name", ["kws_ref_model_float32.tflite", "pretrainedResnet.tflite"])
def test_real_models_compute_the_same(name: str) -> None:
    from tinyflow.importers.tflite import load

    graph = load(Path(shared(f"mlperf_tiny/{name}")))
    after = run_passes(graph)
    rng = np.random.default_rng(0)
    shape = graph.tensors[graph.inputs[0]].shape
    x = {graph.inputs[0]: rng.uniform(0, 80, (4, *shape[1:])).astype(np.float32)}
    before, now = (execute(g, x)[g.outputs[0]] for g in (graph, after))
    assert np.max(np.abs(now - before)) < 1e-5
