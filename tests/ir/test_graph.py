from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinyflow.ir import (
    NO_CLAMP,
    RELU,
    RELU6,
    Clamp,
    DType,
    Graph,
    GraphEditor,
    GraphError,
    Node,
    Op,
    QuantParams,
    Rounding,
    Tensor,
    check_graph,
    execute,
    execute_batched,
)
from tinyflow.ir.integer import AccumulateForm
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.serialize import from_bytes, to_bytes


def small_graph() -> Graph:
    """y = relu(x @ w) + x"""
    rng = np.random.default_rng(1)
    tensors = [
        Tensor("x", (1, 4), DType.FLOAT32),
        Tensor.constant("w", rng.normal(size=(4, 4)).astype(np.float32)),
        Tensor("h", (1, 4), DType.FLOAT32),
        Tensor("r", (1, 4), DType.FLOAT32),
        Tensor("y", (1, 4), DType.FLOAT32),
    ]
    nodes = (
        Node("dense", Op.FULLY_CONNECTED, ("x", "w"), ("h",), FullyConnectedAttrs()),
        Node("act", Op.CLAMP, ("h",), ("r",), ClampAttrs(RELU)),
        Node("skip", Op.ADD, ("r", "x"), ("y",), BinaryAttrs()),
    )
    return Graph("small", nodes, {t.name: t for t in tensors}, ("x",), ("y",))


def test_execute_computes_and_lets_the_observer_see_every_activation() -> None:
    graph = small_graph()
    x = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)
    seen: dict[str, np.ndarray] = {}
    y = execute(graph, {"x": x}, seen.__setitem__)["y"]
    expected = np.maximum(x @ graph.tensors["w"].value.T, 0) + x
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert list(seen) == ["x", "h", "r", "y"]


def test_batches_do_not_change_the_result() -> None:
    x = np.random.default_rng(3).normal(size=(10, 4)).astype(np.float32)
    whole = execute(small_graph(), {"x": x})["y"]
    np.testing.assert_allclose(execute_batched(small_graph(), {"x": x}, 3)["y"], whole, rtol=1e-6)


def test_a_graph_prints_one_line_a_node() -> None:
    assert str(small_graph()).splitlines() == [
        "graph small (16 parameters)",
        "  in  x: float32[1x4]",
        "  FULLY_CONNECTED(x, const w) {clamp=none} -> h: float32[1x4]  # dense",
        "  CLAMP(h) {clamp=relu} -> r: float32[1x4]  # act",
        "  ADD(r, x) {clamp=none} -> y: float32[1x4]  # skip",
        "  out y: float32[1x4]",
    ]


def test_queries() -> None:
    graph = small_graph()
    assert graph.producer("h") is graph.nodes[0]
    assert graph.producer("x") is None
    assert [n.name for n in graph.consumers("x")] == ["dense", "skip"]
    assert graph.sole_consumer("h") is graph.nodes[1]
    assert graph.sole_consumer("x") is None
    assert graph.sole_consumer("y") is None
    assert graph.macs(graph.nodes[0]) == 16


def test_the_editor_redirects_drops_and_sorts() -> None:
    graph = small_graph()
    editor = GraphEditor(graph)
    editor.remove_node(graph.nodes[1])
    editor.redirect("r", "h")
    editor.nodes.reverse()
    edited = editor.build()
    check_graph(edited, "edit")
    assert [n.name for n in edited.nodes] == ["dense", "skip"]
    assert "r" not in edited.tensors
    assert [n.name for n in graph.nodes] == ["dense", "act", "skip"]


def test_the_editor_keeps_names_unique() -> None:
    editor = GraphEditor(small_graph())
    assert editor.add_constant("w", np.zeros(1, np.float32)) == "w_1"
    assert editor.add_node(editor.nodes[0]).name == "dense_1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: replace(g, nodes=g.nodes[::-1]), "reads 'r' before"),
        (lambda g: replace(g, nodes=(*g.nodes, g.nodes[0])), "two nodes are named 'dense'"),
        (lambda g: replace(g, outputs=("nowhere",)), "'nowhere' is never computed"),
        (lambda g: replace(g, layouts={"x": (0, 0)}), "no permutation"),
        (
            lambda g: replace(g, tensors={**g.tensors, "h": Tensor("h", (1, 5), DType.FLOAT32)}),
            "'dense' computes",
        ),
        (lambda g: replace(g, rounding=Rounding.DOUBLE), "no integer form"),
    ],
)
def test_the_checker_names_the_pass_and_the_fault(change, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GraphError, match=message) as error:
        check_graph(change(small_graph()), "some pass")
    assert "after some pass" in str(error.value)


def test_clamps_compose() -> None:
    assert RELU.then(RELU6) == RELU6
    assert RELU6.then(RELU) == RELU6
    assert NO_CLAMP.then(Clamp(-1, 1)) == Clamp(-1, 1)
    x = np.linspace(-10, 10, 41, dtype=np.float32)
    for first in (Clamp(-3, 2), Clamp(4, 5), RELU):
        for second in (Clamp(3, 3.5), Clamp(-1, 0), RELU6):
            np.testing.assert_array_equal(first.then(second)(x), second(first(x)))


def test_a_tfq_file_holds_the_whole_graph() -> None:
    graph = small_graph()
    form = AccumulateForm(np.array([5], np.int32), np.array([-2], np.int32), -128, 127)
    quant = QuantParams.per_tensor(0.25, 3)
    graph = replace(
        graph,
        nodes=(replace(graph.nodes[0], integer=form, sources=("a", "b")), *graph.nodes[1:]),
        tensors={**graph.tensors, "h": Tensor("h", (1, 4), DType.INT8, quant)},
        layouts={"x": (0, 1)},
        rounding=Rounding.DOUBLE,
    )
    data = to_bytes(graph)
    back = from_bytes(data, "test")
    assert to_bytes(back) == data
    assert str(back) == str(graph)
    assert back.layouts == {"x": (0, 1)}
    assert back.tensors["h"].quant == quant
    restored = back.nodes[0].integer
    assert isinstance(restored, AccumulateForm)
    assert restored.multiplier.tolist() == [5]
    assert back.nodes[0].sources == ("a", "b")
    assert back.nodes[1].attrs == ClampAttrs(RELU)
