"""ADD and SUB as one linear form: the proof over all pairs of codes, and the kernel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.dsp_layers import assert_equal_on_dsp, variant_names
from tests.support.graphs import GraphBuilder
from tinyflow.codegen.c.dsp.add.short_sum import CODES, AddProblem, find_short_sum
from tinyflow.ir import NO_CLAMP, RELU, Clamp, DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.quantize import attach_integers, run_reference

ZERO_POINTS = (-128, 0, 127, -1, 33)
CLAMPS = (NO_CLAMP, RELU, Clamp(-0.5, 0.75), Clamp(0.1, 0.2))


def sum_graph(
    shape: Shape,
    scales: tuple[float, float, float],
    zeros: tuple[int, int, int],
    op: Op = Op.ADD,
    clamp: Clamp = NO_CLAMP,
    rounding: Rounding = Rounding.DOUBLE,
    operands: tuple[str, str] = ("a", "b"),
) -> Graph:
    builder = GraphBuilder()
    a, b, out = (QuantParams.per_tensor(s, z) for s, z in zip(scales, zeros, strict=True))
    builder.input("a", shape, DType.INT8, a)
    if "b" in operands:
        builder.input("b", shape, DType.INT8, b)
    y = builder.node(op, operands, BinaryAttrs(clamp), quant=out)
    return attach_integers(builder.build(y), rounding)


def problem_of(graph: Graph) -> AddProblem:
    (node,) = graph.nodes
    form: Any = node.integer
    assert graph.rounding is not None
    a, b = (t.params.zero_point for t in graph.operands(node))
    zero = graph.result(node).params.zero_point
    factors = (form.input_1, form.input_2, form.output)
    subtract = node.op is Op.SUB
    return AddProblem(
        form.left_shift, *factors, a, b, zero, form.lo, form.hi, subtract, graph.rounding
    )


def random_sum(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    scales = np.exp(rng.uniform(-2, 2, 2)) * 0.01
    out = float(scales.max()) * float(np.exp(rng.uniform(-2, 1)))
    zeros = tuple(int(z) for z in rng.choice(ZERO_POINTS, 3))
    return sum_graph(
        (1, 256, 256, 1),
        (float(scales[0]), float(scales[1]), out),
        (zeros[0], zeros[1], zeros[2]),
        (Op.ADD, Op.SUB)[seed % 2],
        CLAMPS[seed // 2 % len(CLAMPS)],
        Rounding.SINGLE if seed % 5 == 0 else Rounding.DOUBLE,
    )


def all_pairs() -> dict[str, np.ndarray]:
    """Inputs [1, 256, 256, 1] of both operands."""
    a, b = np.broadcast_arrays(CODES[:, None], CODES)
    return {name: x.astype(np.int8)[None, ..., None] for name, x in (("a", a), ("b", b))}


@pytest.mark.parametrize("seed", range(24))
def test_found_forms_equal_the_reference_for_all_pairs(seed: int) -> None:
    graph = random_sum(seed)
    (expected,) = run_reference(graph, all_pairs()).values()
    problem = problem_of(graph)
    np.testing.assert_array_equal(problem.reference(), expected[0, ..., 0])
    found = find_short_sum(problem)
    assert found is not None
    np.testing.assert_array_equal(found.apply(), expected[0, ..., 0])


@pytest.mark.parametrize("zeros", [(0, 0, 0), (-128, 5, 3), (127, -128, -20)])
def test_ties_go_away_from_zero(zeros: tuple[int, int, int], tmp_path: Path) -> None:
    """Half the sum of two codes: no line rounds 0.5 up and -0.5 down, but its sign tells."""
    graph = sum_graph((1, 256, 256, 1), (0.5, 0.5, 1.0), zeros)
    found = find_short_sum(problem_of(graph))
    assert found is not None
    assert found.by_sign
    (expected,) = run_reference(graph, all_pairs()).values()
    np.testing.assert_array_equal(found.apply(), expected[0, ..., 0])
    assert_equal_on_dsp(sum_graph((1, 3, 33, 8), (0.5, 0.5, 1.0), zeros), tmp_path / "bundle")


def test_a_found_form_is_not_found_for_another_reference() -> None:
    """The constant has no slack of a whole code: the proof tells zero points apart."""
    problem = problem_of(random_sum(3))
    found = find_short_sum(problem)
    other = replace(problem, a_zero=problem.a_zero + 1)
    assert found is not None
    assert (found.apply() != other.reference()).any()


def test_broadcasting_stays_portable() -> None:
    builder = GraphBuilder()
    quant = QuantParams.per_tensor(0.03, 4)
    builder.input("a", (1, 3, 3, 4), DType.INT8, quant)
    builder.input("b", (1, 1, 1, 4), DType.INT8, quant)
    y = builder.node(Op.ADD, ["a", "b"], BinaryAttrs(), quant=quant)
    assert variant_names(attach_integers(builder.build(y))) == ["portable"]


SHAPES: tuple[Shape, ...] = ((1, 3, 5, 7), (1, 1, 1, 1), (1, 8), (1, 4, 2, 4), (1, 5, 3))


@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_kernel(number: int, tmp_path: Path) -> None:
    """Fewer elements than a turn of the loop, whole turns, and a rest; both operations."""
    graph = sum_graph(
        SHAPES[number],
        (0.031, 0.017, 0.029),
        ((-128, 5, 127), (5, 127, -128), (127, -128, 5))[number % 3],
        (Op.ADD, Op.SUB)[number % 2],
        CLAMPS[number % len(CLAMPS)],
    )
    assert variant_names(graph) == ["dsp"]
    assert_equal_on_dsp(graph, tmp_path / "bundle")


def test_kernel_adds_a_tensor_to_itself_and_works_in_place(tmp_path: Path) -> None:
    builder = GraphBuilder()
    shape = (1, 3, 3, 5)
    quant = [QuantParams.per_tensor(0.02 * 1.13**i, z) for i, z in enumerate((3, -128, -7, 90))]
    builder.input("a", shape, DType.INT8, quant[0])
    constant = builder.rng.integers(-128, 128, shape, dtype=np.int8)
    builder.constant("c", constant, quant[1])
    y = builder.node(Op.ADD, ["a", "a"], BinaryAttrs(), quant=quant[1])
    z = builder.node(Op.SUB, ["c", y], BinaryAttrs(), quant=quant[2])
    w = builder.node(Op.ADD, [z, "a"], BinaryAttrs(RELU), quant=quant[3])
    graph = attach_integers(builder.build(w))
    assert variant_names(graph) == ["dsp"] * 3
    assert_equal_on_dsp(graph, tmp_path / "bundle")
