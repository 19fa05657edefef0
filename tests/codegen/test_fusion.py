"""Layers that run tile by tile: which, where their tiles lie, and that not a bit changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bundles import write_graph_bundle
from tests.support.compiled import SANITIZE, Job, compile_and_run
from tests.support.draw import HypothesisDraw, SeededDraw
from tests.support.fused_graphs import (
    DSP,
    PORTABLE,
    THUMB1,
    BlockBuilder,
    fuse_at_random,
    fused_job,
    random_block,
    selection,
)
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Feature, Goal, generate, plan_model, table_for
from tinyflow.codegen.c.fusion import build, grow_regions, make_region, tiles_of
from tinyflow.codegen.schedule import Axis, Schedule, make_schedule
from tinyflow.ir import Graph, Op
from tinyflow.quantize import run_reference
from tinyflow.verify import verify_bundle


def perceptron(shape: tuple[int, ...] = (1, 8, 8, 6), widening: int = 4) -> Graph:
    b = BlockBuilder("perceptron", 1)
    return b.finish(b.perceptron(b.image("x", shape), widening, "mlp"))


def bottleneck(size: int, channels: int, kernel: int = 3, stride: int = 1) -> Graph:
    b = BlockBuilder("bottleneck", 2)
    x = b.image("x", (1, size, size, channels))
    return b.finish(b.bottleneck(x, channels, "block", kernel, stride))


def fused_whole(graph: Graph, tile: int) -> Schedule:
    """All layers as one step."""
    region = make_region(graph, frozenset(node.name for node in graph.nodes))
    assert region is not None
    step = build(graph, region, tile, selection(PORTABLE))
    return make_schedule(graph, {}, [step.fused])


def check(jobs: Sequence[Job], folder: Path, flags: Sequence[str] = ("-O0", *SANITIZE)) -> None:
    """Every tensor at its tap equals the reference."""
    for job, result in zip(jobs, compile_and_run(jobs, folder, flags), strict=True):
        expected: dict[str, np.ndarray] = {}
        outputs = run_reference(job.graph, job.inputs, expected.__setitem__)
        assert result.taps.keys() == {node.output for node in job.graph.nodes}
        for name, codes in result.taps.items():
            where = f"{job.graph.producer(name)}\n{job.graph}"
            np.testing.assert_array_equal(codes, expected[name], err_msg=where)
        for name, codes in result.outputs.items():
            np.testing.assert_array_equal(codes, outputs[name], err_msg=f"output '{name}'")


def test_a_perceptron_needs_its_map_and_a_few_tiles() -> None:
    """The result takes the place of the operand, tile by tile."""
    schedule = fused_whole(perceptron(), 16)
    (step,) = schedule.steps
    assert (step.axis, step.tile, len(step.nodes)) == (Axis.TOKENS, 16, 4)
    place = schedule.placements[step.output]
    assert (place.alias_of, place.nbytes) == ("x", 8 * 8 * 6)
    # 16 positions of 24 channels, and of 6.
    assert schedule.arena_bytes == schedule.lower_bound_bytes == 384 + 16 * (24 + 6)
    assert schedule.placements.keys() == {"x", step.output}


def test_a_bottleneck_holds_the_rows_that_the_next_tile_needs() -> None:
    schedule = fused_whole(bottleneck(8, 8), 2)
    (step,) = schedule.steps
    assert (step.axis, step.tile) == (Axis.ROWS, 2)
    # 4 rows of the wide tensor and 2 of its successor, which the narrow one follows a row ahead.
    assert schedule.arena_bytes == 8 * 8 * 8 + 4 * 8 * 16 + 2 * 8 * 16 + 8 * 8


def test_a_fused_step_consumes_its_operand() -> None:
    """Without a residual: each row of the result needs two of the operand, which are gone."""
    schedule = fused_whole(bottleneck(8, 8, stride=2), 1)
    (step,) = schedule.steps
    assert schedule.placements[step.output].overlaps == "x"
    assert schedule.scratch[step.nodes[-1].name].nbytes == 3 * 8 * 16 + 4 * 16
    assert schedule.arena_bytes == 8 * 8 * 8 + 448


def test_what_is_read_later_is_not_taken_over() -> None:
    b = BlockBuilder("late", 0)
    x = b.image("x", (1, 8, 8, 6))
    y = b.perceptron(x, 4, "mlp")
    graph = b.finish(b.same_scale(Op.SUB, [x, y], None, "late"))
    region = make_region(graph, frozenset(n.name for n in graph.nodes[:-1]))
    assert region is not None
    step = build(graph, region, 16, selection(PORTABLE))
    schedule = make_schedule(graph, {}, [step.fused])
    assert schedule.placements[y].alias_of is None
    assert schedule.placements["late:0"].alias_of in ("x", y)


def test_regions_are_closed() -> None:
    """What leaves a region is its last result alone."""
    graph = perceptron()
    wide = graph.nodes[0].output
    regions = list(grow_regions(graph, wide))
    assert [len(region.nodes) for region in regions] == [2, 3, 4]
    assert all(region.window is None for region in regions)
    b = BlockBuilder("two", 0)
    wide = b.pointwise(b.image("x", (1, 8, 8, 4)), 8, "up")
    ends = (b.pointwise(wide, 4, "left"), b.pointwise(wide, 4, "right"))
    assert not list(grow_regions(b.finish(*ends), wide))


def test_regions_hold_one_layer_that_needs_neighbours() -> None:
    b = BlockBuilder("windows", 0)
    x = b.bottleneck(b.image("x", (1, 8, 8, 4)), 4, "first")
    graph = b.finish(b.bottleneck(x, 4, "second"))
    for node in graph.nodes:
        for region in grow_regions(graph, node.output):
            windows = [n for n in region.nodes if n.op is Op.DEPTHWISE_CONV_2D]
            assert len(windows) <= 1
            assert ([region.window] if region.window else []) == windows


def test_rows_that_nobody_reads_keep_layers_apart() -> None:
    """They would never be computed, and a tap would miss them."""
    b = BlockBuilder("unread", 0)
    wide = b.pointwise(b.image("x", (1, 8, 8, 4)), 8, "up")
    weights = b.weights((1, 3, 3, 8))
    narrow = b.depthwise(wide, weights, b.biases(8), "down", ((0, 0), (0, 0)), stride=2)
    assert not list(grow_regions(b.finish(narrow), wide))


def test_tiles_divide_what_they_cut() -> None:
    graph = perceptron((1, 12, 10, 4))
    region = make_region(graph, frozenset(n.name for n in graph.nodes))
    assert region is not None
    assert tiles_of(graph, region) == [40, 60]
    graph = perceptron((1, 1, 31, 4))
    region = make_region(graph, frozenset(n.name for n in graph.nodes))
    assert region is not None
    assert tiles_of(graph, region) == [1]


@pytest.mark.parametrize("features", [PORTABLE, DSP, THUMB1])
@pytest.mark.parametrize("goal", list(Goal))
def test_blocks_make_the_arena_smaller(features: frozenset[Feature], goal: Goal) -> None:
    b = BlockBuilder("blocks", 0)
    x = b.image("x", (1, 28, 28, 16))
    for number in range(2):
        x = b.bottleneck(x, 16, f"bottleneck_{number}")
        x = b.perceptron(x, 4, f"mlp_{number}")
    graph = b.finish(x)
    plan = plan_model(graph, features, goal, table_for(features).cost)
    windows = [step.fused.window for step in plan.schedule.steps if step.fused]
    assert len(windows) >= 2
    assert plan.schedule.arena_bytes < 5 * 28 * 28 * 16
    if goal is Goal.SPEED:
        assert not any(windows)
    else:
        assert any(windows)
        assert plan.schedule.arena_bytes < 3 * 28 * 28 * 16
    again = plan_model(graph, features, goal, table_for(features).cost)
    assert again.schedule.placements == plan.schedule.placements
    assert [s.nodes for s in again.schedule.steps] == [s.nodes for s in plan.schedule.steps]


def test_speed_fuses_rows_where_memory_is_short() -> None:
    graph = bottleneck(16, 8)
    free = plan_model(graph, PORTABLE, Goal.SPEED)
    assert all(step.fused is None for step in free.schedule.steps)
    limit = free.schedule.arena_bytes - 1
    tight = plan_model(graph, PORTABLE, Goal.SPEED, arena_limit=limit)
    assert any(step.fused for step in tight.schedule.steps)
    assert tight.schedule.arena_bytes <= limit


def test_little_is_not_worth_it() -> None:
    graph = perceptron(widening=1)
    assert all(s.fused is None for s in plan_model(graph).schedule.steps)


def test_the_function_of_a_fused_step_reads_well() -> None:
    graph = bottleneck(8, 4, kernel=5)
    text = generate(fused_whole(graph, 2), "net").files["src/net.c"].decode()
    begin = text.index("/*\n * Steps 0 to 3")
    assert text[begin : text.index("\n}\n", begin) + 3] == FUNCTION


FUNCTION = """\
/*
 * Steps 0 to 3, 2 of 8 rows at a time:
 *   CONV_2D block/expand; DEPTHWISE_CONV_2D block/depthwise; CONV_2D block/project; ADD block/add
 */
static TINYFLOW_NOINLINE void fused_0_to_3_block_add(int8_t *arena)
{
    int8_t *const band = arena;         /* 6 of 8 rows of block/expand:0, 384 bytes */
    int8_t *const tile_1 = arena + 416; /* 2 rows of block/depthwise:0, 128 bytes */
    int8_t *const tile_2 = arena + 384; /* 2 rows of block/project:0, 64 bytes */

    /* Above the first row. */
    memset(band, -128, 128);
    for (int32_t y = 0; y < 8; y += 2) {
        /* The band begins with row `top`, and those from `begin` on are new. */
        const int32_t top = y - 2;
        const int32_t next = y == 0 ? 0 : top + 4;
        const int32_t begin = next < 8 ? next : 8;
        const int32_t end = top + 6 < 8 ? top + 6 : 8;
        if (begin < end) {
            conv_2d_0_block_expand(arena + 544 + begin * 32, band + (begin - top) * 64,
                end - begin);
            TINYFLOW_TAP(0, begin, end, band + (begin - top) * 64);
        }
        /* Below the last row. */
        if (top + 6 > 8) {
            memset(band + (8 - top) * 64, -128, (size_t)(top + 6 - 8) * 64);
        }
        depthwise_conv_2d_1_block_depthwise(band, tile_1);
        TINYFLOW_TAP(1, y, y + 2, tile_1);
        conv_2d_2_block_project(tile_1, tile_2);
        TINYFLOW_TAP(2, y, y + 2, tile_2);
        add_3_block_add(arena + 544 + y * 32, tile_2, arena + 544 + y * 32);
        TINYFLOW_TAP(3, y, y + 2, arena + 544 + y * 32);
        /* The next rows need these, too. */
        memmove(band, band + 128, 256);
    }
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("features", [PORTABLE, DSP, THUMB1])
def test_blocks_equal_the_reference(features: frozenset[Feature], tmp_path: Path) -> None:
    """Odd channels, kernels of 3 and 5, strides, groups, one row, sizes that are prime."""
    b = BlockBuilder("mixers", 0)
    x = b.mixer(b.image("x", (1, 7, 5, 6)), 3, "mixer_0")
    graphs = [
        perceptron((1, 1, 30, 5)),
        perceptron((1, 7, 7, 3)),
        bottleneck(12, 6),
        bottleneck(13, 5, kernel=5),
        bottleneck(12, 6, stride=2),
        bottleneck(9, 3, kernel=5, stride=2),
        b.finish(b.perceptron(b.mixer(x, 2, "mixer_1"), 3, "mlp")),
    ]
    jobs = []
    for seed, graph in enumerate(graphs):
        regions = [r for n in graph.nodes for r in grow_regions(graph, n.output)]
        largest = max(regions, key=lambda region: len(region.nodes))
        tile = tiles_of(graph, largest)[seed % 2 - 1]
        step = build(graph, largest, tile, selection(features))
        jobs.append(fused_job(graph, [step], features))
    check(jobs, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("features", [PORTABLE, DSP, THUMB1])
def test_random_regions_equal_the_reference(features: frozenset[Feature], tmp_path: Path) -> None:
    jobs, seen = [], Counter[str]()
    first = 200 + 20 * len(features) + 10 * (features == DSP)
    for seed in range(first, first + 12):
        draw = SeededDraw(seed)
        graph = random_block(draw)
        steps = fuse_at_random(graph, draw, features)
        if not steps:
            continue
        jobs.append(fused_job(graph, steps, features))
        for step in jobs[-1].schedule.steps:
            if step.fused is not None:
                place = jobs[-1].schedule.placements[step.output]
                seen["aliases"] += place.alias_of is not None
                seen["overlaps"] += place.overlaps is not None
                seen["windows"] += step.fused.window is not None
                seen["copies"] += step.fused.window is not None and not step.fused.before
    assert all(seen[what] for what in ("aliases", "overlaps", "windows", "copies")), seen
    check(jobs, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m0plus", "cortex-m55"])
def test_the_emulator_equals_the_reference(target: str, tmp_path: Path) -> None:
    b = BlockBuilder("blocks", 0)
    x = b.bottleneck(b.image("x", (1, 12, 12, 5)), 5, "bottleneck")
    graph = b.finish(b.perceptron(x, 4, "mlp"))
    inputs = random_inputs(graph, 3)
    bundle = read_bundle(write_graph_bundle(tmp_path / "net", graph, inputs, target, fuse=True))
    source = (tmp_path / "net" / "src" / "net.c").read_text()
    assert "static TINYFLOW_NOINLINE void fused_" in source
    verdict = verify_bundle(bundle, "qemu")
    assert verdict.bit_exact, verdict
    assert verdict.tensors_compared >= len(graph.nodes)


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(st.data())
def test_any_tiles_equal_the_reference(data: st.DataObject) -> None:
    draw = HypothesisDraw(data.draw)
    graph = random_block(draw, nodes=5)
    steps = fuse_at_random(graph, draw)
    with TemporaryDirectory() as folder:
        check([fused_job(graph, steps, samples=2)], Path(folder))
