"""Results over the operands that kernels with the DSP extension consume."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dsp_layers import DSP, assert_equal_on_dsp
from tests.support.integer_layers import LayerBuilder
from tests.support.mobilenet import mobilenet
from tinyflow.codegen.c import Goal, choose_variants, demands_of
from tinyflow.codegen.schedule import Schedule, make_schedule
from tinyflow.ir import Graph
from tinyflow.ir.ops.spatial import NO_PADDING, Padding

GOALS = (Goal.SPEED, Goal.BALANCED)


def plan(graph: Graph, goal: Goal) -> Schedule:
    return make_schedule(graph, demands_of(graph, choose_variants(graph, DSP, goal)))


def over(schedule: Schedule) -> dict[str, bool]:
    """The nodes whose results overlap their operands, and whether their rows fall."""
    return {
        step.nodes[0].name: step.falling
        for step in schedule.steps
        if schedule.placements[step.output].overlaps is not None
    }


def bottlenecks() -> Graph:
    """1x1 layers that widen and narrow by turns, of odd widths and many pixels."""
    b = LayerBuilder("bottlenecks", 5)
    x = b.image("image", (1, 9, 7, 8))
    for number, channels in enumerate((60, 12, 60, 10, 58)):
        weight = b.weights((channels, 1, 1, b.tensors[x].shape[3])) // 4
        x = b.conv(x, weight, b.biases(channels), f"pointwise_{number}", NO_PADDING)
    return b.finish(x)


def rings() -> Graph:
    """Larger windows, which read rows below the one that they compute."""
    b = LayerBuilder("rings", 6)
    x = b.image("image", (1, 17, 11, 3))
    layers = ((8, 3, 1, 1), (8, 5, 2, 1), (13, 3, 1, 1), (13, 3, 0, 1), (6, 3, 1, 2))
    for number, (channels, kernel, pad, stride) in enumerate(layers):
        weight = b.weights((channels, kernel, kernel, b.tensors[x].shape[3])) // 4
        padding: Padding = ((pad, pad), (pad, pad))
        x = b.conv(x, weight, b.biases(channels), f"conv_{number}", padding, stride=stride)
    return b.finish(x)


def grouped_rings() -> Graph:
    """The same in groups of channels, which write each pixel's codes piece by piece."""
    b = LayerBuilder("grouped_rings", 7)
    x = b.image("image", (1, 13, 9, 24))
    layers = (
        (24, 3, 1, 1, 3),
        (30, 3, 1, 1, 6),
        (12, 5, 2, 1, 3),
        (18, 3, 0, 1, 3),
        (6, 3, 1, 2, 3),
    )
    for number, (channels, kernel, pad, stride, groups) in enumerate(layers):
        weight = b.weights((channels, kernel, kernel, b.tensors[x].shape[3] // groups)) // 4
        padding: Padding = ((pad, pad), (pad, pad))
        x = b.conv(x, weight, b.biases(channels), f"conv_{number}", padding, groups, stride)
    return b.finish(x)


@pytest.mark.parametrize("goal", GOALS)
def test_layers_that_widen_and_narrow(goal: Goal, tmp_path: Path) -> None:
    graph = bottlenecks()
    found = over(plan(graph, goal))
    assert len(found) >= 3
    assert set(found.values()) == {False, True}
    assert_equal_on_dsp(graph, tmp_path / "net", goal)


@pytest.mark.parametrize("goal", GOALS)
def test_layers_with_rings_of_rows(goal: Goal, tmp_path: Path) -> None:
    graph = rings()
    assert len(over(plan(graph, goal))) >= 3
    assert_equal_on_dsp(graph, tmp_path / "net", goal)


@pytest.mark.parametrize("goal", GOALS)
def test_layers_with_rings_of_groups(goal: Goal, tmp_path: Path) -> None:
    graph = grouped_rings()
    assert len(over(plan(graph, goal))) >= 3
    assert_equal_on_dsp(graph, tmp_path / "net", goal)


@pytest.mark.slow
@pytest.mark.parametrize("goal", GOALS)
def test_a_mobilenet(goal: Goal, tmp_path: Path) -> None:
    graph, _ = mobilenet(3, 0.0, size=32)
    assert over(plan(graph, goal))
    assert_equal_on_dsp(graph, tmp_path / "net", goal, count=3)
