"""What TensorIR kernels ask of memory, and corners of the sums of products."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.codegen.tensorir.test_operations import check
from tests.support.integer_layers import SAME, LayerBuilder
from tests.support.random_graphs import random_graph
from tests.support.tensorir import tensorir_job
from tinyflow.codegen.c import demands_of, generate
from tinyflow.codegen.tvm import plan as plans
from tinyflow.codegen.tvm import variant
from tinyflow.codegen.tvm.plan import plan_tvm
from tinyflow.codegen.tvm.statements import read_statements
from tinyflow.errors import UnsupportedError
from tinyflow.ir import RELU, Graph, Op
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs


def source_of(graph: Graph) -> str:
    plan = plan_tvm(graph)
    return generate(plan.schedule, "net", choices=plan.choices).files["src/net.c"].decode()


def two_equal_layers() -> Graph:
    b = LayerBuilder()
    y = b.image("x", (1, 6, 5, 8))
    for name in ("first", "second"):
        y = b.conv(y, b.weights((8, 3, 3, 8)), b.biases(8), name, SAME)
    return b.finish(y)


def test_layers_of_one_shape_share_a_function() -> None:
    source = source_of(two_equal_layers())
    assert source.count("static void tvm_conv_2d") == 1
    assert len(re.findall(r"^    tvm_conv_2d\(", source, re.MULTILINE)) == 2


def test_equal_graphs_give_equal_text() -> None:
    assert source_of(two_equal_layers()) == source_of(two_equal_layers())


def test_no_function_has_arrays_of_its_own() -> None:
    for seed in range(4):
        source = source_of(random_graph(seed, max_nodes=6))
        functions = re.findall(r"^static void tvm_.*?^}", source, re.MULTILINE | re.DOTALL)
        assert functions
        declared = [line for text in functions for line in re.findall(r"\w+ \w+\[\d+\];", text)]
        assert declared == []


def test_working_memory_is_a_demand_on_the_arena() -> None:
    graph = two_equal_layers()
    plan = plan_tvm(graph)
    demands = demands_of(graph, plan.choices)
    # Three rows of five pixels with one more on either side.
    assert [demands[node.name].scratch_bytes for node in graph.nodes] == [3 * 7 * 8 + 8] * 2
    assert set(plan.schedule.scratch) == {"first", "second"}


def test_padded_rows_are_read_before_the_result_is_written() -> None:
    """The window holds what a row needs, so that the result may lie one row before its operand."""
    graph = two_equal_layers()
    overlap = demands_of(graph, plan_tvm(graph).choices)["first"].overlap
    assert overlap is not None and overlap.rising == 5 * 8


def test_no_kernel_takes_rows_that_it_still_needs(tmp_path: Path) -> None:
    """Chains in which results lie over their operands, in every order of sizes."""
    graphs = []
    for stride, channels in ((1, 8), (2, 24), (1, 3)):
        b = LayerBuilder(seed=channels)
        y = b.conv(b.image("x", (1, 9, 7, 8)), b.weights((8, 1, 1, 8)), b.biases(8), "before")
        y = b.conv(y, b.weights((channels, 3, 3, 8)), b.biases(channels), "a", SAME, 1, stride)
        y = b.depthwise(y, b.weights((1, 3, 3, channels)), b.biases(channels), "b")
        y = b.conv(y, b.weights((9, 1, 1, channels)), b.biases(9), "c")
        graphs.append(b.finish(y))
    jobs = [tensorir_job(graph) for graph in graphs]
    placements = [p for job in jobs for p in job.schedule.placements.values()]
    assert sum(placement.overlaps is not None for placement in placements) >= len(jobs)
    check(jobs, tmp_path)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_dilated_and_grouped_convolutions(groups: int, tmp_path: Path) -> None:
    b = LayerBuilder()
    attrs = Conv2DAttrs((2, 1), ((2, 1), (0, 3)), (2, 3), groups, RELU)
    weight = b.weights((12, 3, 2, 8 // groups))
    y = b.layer(Op.CONV_2D, b.image("x", (1, 11, 9, 8)), weight, b.biases(12), attrs, "conv")
    check([tensorir_job(b.finish(y))], tmp_path)


@pytest.mark.parametrize(("kernel", "multiplicity"), [((3, 3), 1), ((5, 4), 1), ((2, 3), 3)])
def test_depthwise_kernels_written_out_and_in_loops(
    kernel: tuple[int, int], multiplicity: int, tmp_path: Path
) -> None:
    b = LayerBuilder()
    attrs = DepthwiseConv2DAttrs((1, 2), ((1, 2), (2, 0)), clamp=RELU)
    channels = 5 * multiplicity
    weight = b.weights((1, *kernel, channels))
    x = b.image("x", (1, 8, 9, 5))
    y = b.layer(Op.DEPTHWISE_CONV_2D, x, weight, b.biases(channels), attrs, "depthwise")
    check([tensorir_job(b.finish(y))], tmp_path)


def test_a_bias_without_room_for_the_zero_point(tmp_path: Path) -> None:
    """Sums keep within 32 bits, but would not if the zero point of -128 went into the bias."""
    b = LayerBuilder()
    weight = np.full((4, 1, 1, 512), 127, dtype=np.int8)
    bias = np.full(4, 2**31 - 1 - 512 * 127 * 255, dtype=np.int32)
    y = b.conv(b.image("x", (1, 2, 3, 512)), weight, bias, "conv")
    graph = b.finish(y)
    assert re.search(r"x0 = x\[.*\] \+ 128;", source_of(graph))
    check([tensorir_job(graph)], tmp_path)


def test_operations_without_tensorir_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "has_form", lambda op: op is not Op.CONV_2D)
    with pytest.raises(UnsupportedError) as caught:
        plan_tvm(two_equal_layers())
    assert [obstacle.layer for obstacle in caught.value.obstacles] == [
        "first (CONV_2D)",
        "second (CONV_2D)",
    ]
    assert "--backend c" in str(caught.value)


def test_what_tvm_prints_in_another_way_is_refused_by_the_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(variant, "print_function", lambda kernel: read_statements("  goto end;"))
    with pytest.raises(UnsupportedError) as caught:
        source_of(two_equal_layers())
    (obstacle,) = caught.value.obstacles
    assert obstacle.layer == "first (CONV_2D)"
    assert "goto end" in obstacle.reason


def test_functions_name_their_layers_and_shapes() -> None:
    lines = source_of(two_equal_layers()).splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("static void tvm_conv_2d"))
    assert [line.removeprefix(" * ") for line in lines[begin - 9 : begin - 1]] == [
        "CONV_2D",
        "  x       int8 [1,6,5,8]",
        "  weight  int8 [8,3,3,8]",
        "  bias    int32 [8]",
        "  out     int8 [1,6,5,8]",
        "  strides=(1,1), padding=((1,1),(1,1)), dilations=(1,1), groups=1, clamp=relu",
        "  step 0: first",
        "  step 1: second",
    ]
