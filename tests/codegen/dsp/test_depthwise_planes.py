"""Depthwise convolutions on planes: the C twins here, the assembly on the emulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.compiled import Job, compile_and_run
from tests.support.depthwise_layers import Depthwise, depthwise_graph, random_depthwise
from tests.support.dsp_layers import DSP, assert_equal_on_dsp, variant_names
from tests.support.random_graphs import random_inputs
from tinyflow.codegen.c import Goal, choose_variants, demands_of
from tinyflow.codegen.c.dsp.depthwise.plan import make_plan
from tinyflow.codegen.c.dsp.depthwise.taps import line_macs, line_pairs, pack_weights
from tinyflow.codegen.schedule import make_schedule, planner
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, Graph, Rounding
from tinyflow.quantize import run_reference

PLANES = {Goal.SPEED: "depthwise planes", Goal.BALANCED: "depthwise bands"}

SHAPES = [
    Depthwise((25, 5), 8),
    Depthwise((6, 6), 4, clamp=RELU6),
    Depthwise((3, 3), 5),
    Depthwise((1, 1), 3),
    Depthwise((1, 13), 4, kernel=(1, 3)),
    Depthwise((9, 1), 2, kernel=(5, 1)),
    Depthwise((8, 7), 6, strides=(2, 2), in_zero=5, out_zero=17, clamp=NO_CLAMP),
    Depthwise((7, 10), 4, kernel=(5, 5), in_zero=127, clamp=Clamp(-0.3, 0.4), out_zero=0),
    Depthwise((11, 9), 4, kernel=(7, 7), strides=(2, 1)),
    Depthwise((10, 9), 1, kernel=(9, 9)),
    Depthwise((5, 6), 4, kernel=(4, 2), padding=((3, 0), (0, 1))),
    Depthwise((7, 7), 4, kernel=(2, 3), strides=(3, 3), padding=((0, 0), (2, 2))),
    Depthwise((4, 4), 7, spread=6.0, out_zero=3, clamp=NO_CLAMP),
    Depthwise((4, 5), 4, weight=-128, in_zero=127),
    Depthwise((4, 5), 4, weight=127, bias=1 << 26),
    Depthwise((4, 4), 4, gain=1000.0, out_zero=0, clamp=NO_CLAMP),
    Depthwise((3, 620), 2),
    Depthwise((2, 4), 1402, kernel=(2, 3)),
    Depthwise((20, 11), 1, kernel=(10, 8), strides=(2, 2), multiplier=8),
    Depthwise((6, 5), 6, multiplier=3),
]
"""Channels beside fours, single lines, large windows, extreme codes; sums beyond 23 bits, and
multipliers above 1; lines and pixels that the offset of a load or store does not span."""

LARGE = Depthwise((40, 37), 6, kernel=(3, 3))


@pytest.fixture(autouse=True)
def _any_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers side by side take long to plan, and how they lie does not matter here."""
    monkeypatch.setattr(planner, "SEARCH_WORK", 1000)


@pytest.mark.parametrize(
    "rounding", [Rounding.DOUBLE, pytest.param(Rounding.SINGLE, marks=pytest.mark.slow)]
)
def test_shapes_equal_the_reference(rounding: Rounding, tmp_path: Path) -> None:
    graph = depthwise_graph(SHAPES, rounding)
    assert variant_names(graph) == [PLANES[Goal.SPEED]] * len(SHAPES)
    assert_equal_on_dsp(graph, tmp_path, Goal.SPEED)


@pytest.mark.slow
@pytest.mark.parametrize("goal", [Goal.SPEED, Goal.BALANCED])
def test_bands_equal_the_reference(goal: Goal, tmp_path: Path) -> None:
    """An image that the planes do not hold at once, in place and beside its operand."""
    layers = [
        LARGE,
        Depthwise((50, 31), 4, kernel=(5, 5), strides=(2, 2)),
        Depthwise((40, 37), 5, multiplier=2),
    ]
    graph = depthwise_graph(layers)
    plans = [make_plan(graph, node, 2560) for node in graph.nodes]
    assert all(1 < plan.band < plan.lines.out_size for plan in plans)
    assert_equal_on_dsp(graph, tmp_path, goal, count=3)


def placed(graph: Graph, goal: Goal = Goal.BALANCED) -> list[bool]:
    """Whether each layer's result takes its operand's place."""
    schedule = make_schedule(graph, demands_of(graph, choose_variants(graph, DSP, goal)))
    return [schedule.placements[n.output].alias_of is not None for n in schedule.graph.nodes]


def test_results_take_their_operands_place() -> None:
    shrinking = Depthwise((40, 40), 4, strides=(2, 2))
    growing = Depthwise((9, 9), 4, padding=((2, 2), (2, 2)))
    assert placed(depthwise_graph([LARGE])) == [True]
    assert placed(depthwise_graph([shrinking])) == [True]
    assert placed(depthwise_graph([growing])) == [False]
    thinned = Depthwise((9, 9), 4, strides=(3, 3), multiplier=2)
    assert placed(depthwise_graph([thinned])) == [False]
    # All padding before the image: the second band's pixels lie under the first one's results.
    late = Depthwise((40, 40), 4, kernel=(3, 3), padding=((5, 0), (1, 1)))
    assert placed(depthwise_graph([late])) == [False]


def test_rows_may_be_asked_for_one_by_one(tmp_path: Path) -> None:
    graph = depthwise_graph([Depthwise((9, 7), 6), Depthwise((9, 7), 5, strides=(2, 2))])
    choices = choose_variants(graph, DSP, Goal.SPEED)
    schedule = make_schedule(graph, demands_of(graph, choices))
    assert placed(graph) == [True, True]
    steps = tuple(replace(step, tile=1) for step in schedule.steps)
    job = Job(replace(schedule, steps=steps), random_inputs(graph, 3), choices)
    (result,) = compile_and_run([job], tmp_path)
    for name, codes in run_reference(graph, job.inputs).items():
        np.testing.assert_array_equal(result.taps[name], codes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_layers_equal_the_reference(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    layers = [random_depthwise(rng) for _ in range(24)]
    graph = depthwise_graph(layers, seed=seed)
    goal = [Goal.SPEED, Goal.BALANCED][seed % 2]
    assert variant_names(graph, goal).count(PLANES[goal]) > len(layers) // 2
    assert_equal_on_dsp(graph, tmp_path, goal)


@pytest.mark.parametrize("kernel", range(1, 10))
@pytest.mark.parametrize("stride", (1, 2, 3))
@pytest.mark.parametrize("outputs", (1, 2, 3, 4))
def test_products_of_a_line_are_its_windows(kernel: int, stride: int, outputs: int) -> None:
    """The multiplications, done as the instructions say, are the sums of the windows."""
    odd = stride % 2 == 1
    rng = np.random.default_rng(kernel)
    weight = rng.integers(-128, 128, kernel)
    points = rng.integers(-128, 128, 2 * (outputs * stride + kernel))
    pairs = line_pairs(kernel, odd)
    sums = np.zeros(outputs, dtype=np.int64)
    for mac in line_macs(kernel, stride, outputs, odd):
        word = points[2 * mac.word : 2 * mac.word + 2]
        pair = weight[list(pairs[mac.pair])]
        if mac.instruction == "smlad":
            sums[mac.output] += int(word @ pair)
        else:
            i, j = ("bt".index(half) for half in mac.instruction[-2:])
            sums[mac.output] += word[i] * pair[j]
    windows = [points[o * stride : o * stride + kernel] @ weight for o in range(outputs)]
    assert sums.tolist() == windows


def test_packed_weights_unpack_by_one_mask() -> None:
    weight = np.random.default_rng(0).integers(-128, 128, (3, 3, 2), dtype=np.int8)
    words = pack_weights(weight, odd=True).astype(np.int64)
    first = (words << 8) & 0xFF00FF00
    second = words & 0xFF00FF00
    for channel in range(2):
        for line in range(3):
            for half in range(2):
                shift = 16 * half
                lower = np.int16(first[channel, line] >> shift & 0xFFFF)
                upper = np.int16(second[channel, line] >> shift & 0xFFFF)
                assert lower == 256 * int(weight[line, half, channel])
                assert upper == 256 * int(weight[line, half + 1, channel])
