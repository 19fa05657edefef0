"""Custom operators compute what the integer reference does, from what the file says of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flatbuffers")

from flatbuffers import flexbuffers

from tests.support.custom_operators import CustomOperators
from tests.support.postprocessing import IMAGE, detector, labeller
from tests.support.random_graphs import ALL_OPS, random_graph, random_inputs
from tinyflow.codegen.tflite.custom import custom_operator
from tinyflow.codegen.tflite.custom.kernel import operator_kernels
from tinyflow.codegen.tflite.custom.operator import bind_node, operator_name
from tinyflow.ir import Graph, Node, Op, Rounding
from tinyflow.ir.ops.detection import DetectionAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.quantize.forms import FORMS
from tinyflow.quantize.reference import run_reference

SAMPLES = 4
MOVES_BYTES = {Op.CONCAT}
"""Takes one call of its kernel for each operand, and is a builtin operator always."""


POSTPROCESSING = [
    labeller(3),
    labeller(300),
    labeller(4, ResizeAttrs((17, 12), half_pixel_centers=True)),
    detector(20, 4, DetectionAttrs(IMAGE, background=3)),
]
"""Both roundings compute the same here."""


def nodes_of(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op not in MOVES_BYTES]


def find_node(op: Op) -> tuple[Graph, Node]:
    graph = random_graph(0, (op,), 1)
    return graph, next(node for node in graph.nodes if node.op is op)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("rounding", Rounding)
def test_every_kernel_gives_the_codes_of_the_reference(tmp_path: Path, rounding: Rounding) -> None:
    graphs = [random_graph(seed, (op,), 1, rounding) for op in ALL_OPS for seed in range(3)]
    graphs += POSTPROCESSING
    bound = [bind_node(graph, node) for graph in graphs for node in nodes_of(graph)]
    operators = CustomOperators(tmp_path, bound, rounding)
    tested = set()
    for number, graph in enumerate(graphs):
        tensors = random_inputs(graph, SAMPLES, number)
        run_reference(graph, dict(tensors), tensors.__setitem__)
        for node in nodes_of(graph):
            np.testing.assert_array_equal(
                operators.run(graph, node, tensors),
                tensors[node.output],
                err_msg=f"{node}\n{graph}",
            )
            tested.add(node.op)
    assert tested == set(FORMS) - MOVES_BYTES


def test_an_operator_says_all_that_its_kernel_needs() -> None:
    graph, node = find_node(Op.LAYER_NORM)
    operator = custom_operator(graph, node)
    options = flexbuffers.Loads(operator.options)
    assert operator.name == "TinyFlowLayerNorm"
    assert operator.inputs == node.inputs[:1]
    assert options["channels"] == graph.result(node).shape[-1]
    assert options["epsilon"] == node.integer.epsilon
    assert [options[t.name.rpartition("/")[2]] for t in operator.constants] == list(
        range(1, 1 + len(operator.constants))
    )


def test_weights_of_the_graph_are_not_stored_twice() -> None:
    graph, node = find_node(Op.CONV_2D)
    names = [tensor.name for tensor in custom_operator(graph, node).constants]
    assert names[:2] == list(node.inputs[1:])


def test_several_calls_are_no_custom_operator() -> None:
    for seed in range(20):
        graph = random_graph(seed, (Op.CONCAT,), 1)
        for node in graph.nodes:
            if node.op is Op.CONCAT and len(node.inputs) > 1:
                with pytest.raises(ValueError, match="calls of its kernel"):
                    custom_operator(graph, node)
                return
    pytest.fail("no concatenation of several operands")


def test_layers_with_different_fields_share_a_kernel() -> None:
    found = {}
    for seed in range(40):
        graph = random_graph(seed, (Op.LAYER_NORM,), 1)
        for node in graph.nodes:
            if node.op is Op.LAYER_NORM:
                found[node.integer.gamma is None] = bind_node(graph, node)
    plain, scaled = found[True], found[False]
    (kernel,) = operator_kernels([plain, scaled])
    assert "start" in {number.option for number in kernel.numbers}
    assert [pointer.field for pointer in kernel.pointers] == ["gamma", "beta"]
    assert kernel.operands == 3


def test_names_of_operators() -> None:
    assert operator_name("table_8") == "TinyFlowTable"
    assert operator_name("resize_argmax_s8") == "TinyFlowResizeArgmax"
