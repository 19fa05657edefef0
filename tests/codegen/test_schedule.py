"""Schedules of graphs: what shares memory, and that nothing needed is ever overwritten."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import GraphBuilder
from tests.support.mobilenet import mobilenet
from tests.support.paths import shared
from tests.support.random_graphs import random_graph
from tests.support.rows_read import ROWS_READ
from tinyflow.codegen.c import choose_variants, demands_of
from tinyflow.codegen.schedule import (
    Axis,
    Demand,
    Placement,
    Schedule,
    make_schedule,
)
from tinyflow.codegen.schedule.conflicts import lower_bound
from tinyflow.codegen.schedule.lifetimes import find_buffers
from tinyflow.codegen.schedule.planner import plan_arena
from tinyflow.ir import OPS, Clamp, DType, Graph, Node, Op, as_nhwc, check_graph
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.quantize import attach_integers

IMAGE = (1, 4, 4, 3)
RELU = ClampAttrs(Clamp(0.0))


class Int8Builder(GraphBuilder):
    def image(self, name: str = "x", shape: tuple[int, ...] = IMAGE) -> str:
        return self.input(name, shape, DType.INT8)

    def pool(self, x: str) -> str:
        """An operation that cannot work in place and keeps the shape."""
        return self.node(Op.MAX_POOL, [x], PoolAttrs((1, 1), (1, 1)))

    def relu(self, x: str) -> str:
        return self.node(Op.CLAMP, [x], RELU)

    def cut(self, x: str, begin: int, end: int) -> str:
        """Elements ``begin`` to ``end`` along the first axis of several."""
        shape = self.tensors[x].shape
        axis = next(i for i, size in enumerate(shape) if size > 1)
        first = tuple(begin if i == axis else 0 for i in range(len(shape)))
        last = tuple(end if i == axis else size for i, size in enumerate(shape))
        return self.node(Op.SLICE, [x], SliceAttrs(first, last, (1,) * len(shape)))

    def flat(self, x: str) -> str:
        shape = (1, int(np.prod(self.tensors[x].shape)))
        return self.node(Op.RESHAPE, [x], ReshapeAttrs(shape))


def execute_in_arena(schedule: Schedule) -> None:
    """Runs the steps on bytes that remember which byte of which tensor was written there last."""
    graph = schedule.graph
    owner = np.full(schedule.arena_bytes, -1)
    held: dict[str, np.ndarray] = {}
    marks = count(0, 1 << 32)

    def region(name: str) -> np.ndarray:
        place = schedule.placements[name]
        assert place.nbytes == graph.tensors[name].nbytes
        return owner[place.offset : place.end]

    def write(name: str) -> None:
        region(name)[:] = next(marks) + np.arange(graph.tensors[name].nbytes)
        held[name] = region(name).copy()

    def assert_intact(name: str) -> None:
        assert region(name).shape == (graph.tensors[name].nbytes,)
        assert (region(name) == held[name]).all(), f"{name} was overwritten"

    for name in graph.inputs:
        write(name)

    def write_over(node: Node, falling: bool) -> None:
        """Row by row: what a row depends on is there until the row is complete."""
        operand = graph.operands(node)[0]
        _, height, _, _ = as_nhwc(graph.result(node).shape)
        _, in_height, _, _ = as_nhwc(operand.shape)
        source = region(operand.name).reshape(in_height, -1)
        result = region(node.output).reshape(height, -1)
        mark, before = next(marks), held[operand.name].reshape(source.shape)
        for y in reversed(range(height)) if falling else range(height):
            result[y] = mark + y
            begin, end = ROWS_READ[node.op](node, graph, y, y + 1)
            rows = slice(max(begin, 0), max(end, 0))
            assert (source[rows] == before[rows]).all(), f"row {y} of {node} overwrote its source"
        held[node.output] = region(node.output).copy()

    def moved(node: Node) -> np.ndarray:
        """What a node that only moves elements makes of the bytes of its operands."""
        operands = graph.operands(node)
        size = operands[0].dtype.itemsize
        bytes_of = {x.name: held.get(x.name, np.full(x.nbytes, -2)) for x in operands}
        each = [bytes_of[x.name].reshape(*x.shape, size) for x in operands]
        planes = [
            OPS[node.op].evaluate(node.attrs, *(x[..., i] for x in each)) for i in range(size)
        ]
        return np.stack(planes, axis=-1).ravel()

    for step in schedule.steps:
        (node,) = step.nodes
        for name in node.inputs:
            if not graph.tensors[name].is_constant:
                assert_intact(name)
        overlapped = schedule.placements[node.output].overlaps
        assert overlapped in (None, node.inputs[0])
        is_view = schedule.placements[node.output].alias_of in node.inputs
        if node.op in (Op.RESHAPE, Op.SLICE) and is_view:
            held[node.output] = moved(node)
        elif node.op is Op.CONCAT:
            region(node.output)[:] = held[node.output] = moved(node)
        elif overlapped is not None:
            write_over(node, step.falling)
        else:
            assert not step.falling
            write(node.output)
        for name in node.outputs:
            assert_intact(name)
    for name in graph.outputs:
        assert_intact(name)


def assert_sound(schedule: Schedule) -> None:
    graph = schedule.graph
    activations = {name for name, t in graph.tensors.items() if not t.is_constant}
    assert schedule.placements.keys() == activations
    assert [step.index for step in schedule.steps] == list(range(len(graph.nodes)))
    for place in schedule.placements.values():
        views = (Op.RESHAPE, Op.SLICE)
        is_view = (node := graph.producer(place.tensor)) is not None and node.op in views
        assert place.offset % (4 if is_view or place.alias_of is not None else 16) == 0
    assert schedule.arena_bytes % 16 == 0
    assert schedule.arena_bytes >= schedule.lower_bound_bytes
    steps = range(max(len(schedule.steps), 1))
    most = max(schedule.live_bytes(step) for step in steps)
    assert schedule.lower_bound_bytes <= most <= schedule.arena_bytes
    assert_overlaps_are_stated(schedule)
    last = max(len(schedule.steps) - 1, 0)
    assert all(schedule.placements[name].first_step == 0 for name in graph.inputs)
    assert all(schedule.placements[name].last_step == last for name in graph.outputs)
    execute_in_arena(schedule)


def assert_overlaps_are_stated(schedule: Schedule) -> None:
    """Tensors that are needed in one step share bytes only where their placements say so."""
    places = [*schedule.placements.values(), *schedule.scratch.values()]
    for a, b in combinations(places, 2):
        together = a.first_step <= b.last_step and b.first_step <= a.last_step
        if together and a.offset < b.end and b.offset < a.end:
            stated = {a.overlaps} & {b.tensor} or {b.overlaps} & {a.tensor}
            assert stated or owner(schedule, a) == owner(schedule, b), (a, b)


def owner(schedule: Schedule, place: Placement) -> str:
    """The tensor of whose memory another one is the whole or a piece."""
    while place.alias_of is not None:
        place = schedule.placements[place.alias_of]
    return place.tensor


def aliases(schedule: Schedule) -> dict[str, str]:
    found = {p.tensor: p.alias_of for p in schedule.placements.values()}
    return {name: other for name, other in found.items() if other is not None}


def test_an_elementwise_chain_stays_in_place() -> None:
    b = Int8Builder()
    y = b.relu(b.relu(b.image()))
    schedule = make_schedule(b.build(y))
    assert_sound(schedule)
    assert schedule.arena_bytes == schedule.lower_bound_bytes == 48
    assert aliases(schedule) == {"clamp_0:0": "x", "clamp_1:0": "clamp_0:0"}


def test_a_tensor_that_is_read_later_is_not_overwritten() -> None:
    b = Int8Builder()
    x = b.image()
    y = b.relu(x)
    z = b.node(Op.ADD, [x, y])
    schedule = make_schedule(b.build(z))
    assert_sound(schedule)
    assert aliases(schedule) == {z: x}
    assert schedule.arena_bytes == 96


def test_a_graph_output_is_not_overwritten() -> None:
    b = Int8Builder()
    y = b.relu(b.image())
    z = b.relu(y)
    schedule = make_schedule(b.build(y, z))
    assert_sound(schedule)
    assert aliases(schedule) == {y: "x"}


def test_an_input_that_is_an_output_is_not_overwritten() -> None:
    b = Int8Builder()
    x = b.image()
    schedule = make_schedule(b.build(x, b.relu(x)))
    assert_sound(schedule)
    assert aliases(schedule) == {}


def test_a_reshape_moves_nothing() -> None:
    b = Int8Builder()
    flat = b.flat(b.pool(b.image()))
    schedule = make_schedule(b.build(flat))
    assert_sound(schedule)
    assert aliases(schedule) == {flat: "max_pool_0:0"}
    assert schedule.steps[1].axis is Axis.WHOLE


def test_memory_under_a_reshape_is_kept_while_either_is_read() -> None:
    b = Int8Builder()
    x = b.image()
    flat = b.flat(x)
    busy = b.relu(flat)
    wide = b.node(Op.RESHAPE, [busy], ReshapeAttrs(IMAGE))
    late = b.node(Op.MUL, [x, wide])
    schedule = make_schedule(b.build(late))
    assert_sound(schedule)
    assert aliases(schedule) == {flat: x, wide: busy, late: x}


def test_a_reshape_of_an_output_protects_it() -> None:
    b = Int8Builder()
    y = b.pool(b.image())
    z = b.relu(b.flat(y))
    schedule = make_schedule(b.build(y, z))
    assert_sound(schedule)
    assert aliases(schedule) == {"reshape_1:0": y}


def test_the_second_operand_may_be_taken_over() -> None:
    b = Int8Builder()
    row = b.image("row", (1, 1, 1, 3))
    x = b.pool(b.image())
    y = b.node(Op.MUL, [row, x])
    schedule = make_schedule(b.build(y))
    assert_sound(schedule)
    assert aliases(schedule) == {y: x}


def test_a_broadcast_operand_is_not_taken_over() -> None:
    b = Int8Builder()
    x = b.image()
    y = b.node(Op.ADD, [b.image("row", (1, 1, 1, 3)), b.node(Op.ADD, [x, x])])
    schedule = make_schedule(b.build(y, x))
    assert_sound(schedule)
    assert "row" not in aliases(schedule).values()


def test_wider_elements_are_not_written_over_narrow_ones() -> None:
    b = Int8Builder()
    x = b.image()
    graph = b.build(b.node(Op.QUANTIZE, [x]))
    (name,) = graph.outputs
    wide = {**graph.tensors, name: type(graph.tensors[name])(name, IMAGE, DType.INT16)}
    schedule = make_schedule(type(graph)("g", graph.nodes, wide, graph.inputs, graph.outputs))
    assert_sound(schedule)
    assert aliases(schedule) == {}


def test_a_constant_takes_no_place() -> None:
    b = Int8Builder()
    x = b.image()
    y = b.node(Op.ADD, [b.constant("c", np.ones(IMAGE, np.int8)), x])
    schedule = make_schedule(b.build(y))
    assert_sound(schedule)
    assert aliases(schedule) == {y: x}


def test_several_inputs_live_together_from_the_start() -> None:
    b = Int8Builder()
    x, y, unused = b.image("x"), b.image("y"), b.image("unused")
    schedule = make_schedule(b.build(b.node(Op.ADD, [b.relu(b.relu(x)), y])))
    assert_sound(schedule)
    places = [schedule.placements[name] for name in (x, y, unused)]
    assert len({p.offset for p in places}) == 3
    assert schedule.arena_bytes == 144


def test_a_graph_without_nodes() -> None:
    b = Int8Builder()
    schedule = make_schedule(b.build(b.image()))
    assert_sound(schedule)
    assert (schedule.arena_bytes, schedule.steps) == (48, ())


def two_wide_branches(in_turn: bool) -> Graph:
    """x is made wide and narrow again, twice: in turn, or both wide tensors at once."""
    b = Int8Builder()
    x = b.image()
    wide = [b.node(Op.CONCAT, [x] * 4, ConcatAttrs(3), name=f"wide{i}") for i in (0, 1)]
    narrow = [b.node(Op.MEAN, [w], MeanAttrs((1, 2)), name=f"narrow{w[4]}") for w in wide]
    graph = b.build(b.node(Op.ADD, narrow, name="sum"))
    order = (0, 2, 1, 3, 4) if in_turn else range(5)
    return replace(graph, nodes=tuple(graph.nodes[i] for i in order))


def test_an_order_that_needs_less_memory_is_taken() -> None:
    schedule = make_schedule(two_wide_branches(in_turn=False))
    assert_sound(schedule)
    assert [step.output for step in schedule.steps][1] in ("narrow0:0", "narrow1:0")
    assert schedule.arena_bytes == make_schedule(two_wide_branches(in_turn=True)).arena_bytes
    own = lower_bound(find_buffers(two_wide_branches(in_turn=False), schedule.graph.nodes, {}))
    assert own == schedule.lower_bound_bytes == 48 + 192 + 16


def test_an_order_that_is_as_good_is_kept() -> None:
    graph = two_wide_branches(in_turn=True)
    assert make_schedule(graph).graph is graph


def test_axes_and_tiles_follow_the_shape() -> None:
    b = Int8Builder()
    y = b.pool(b.image())
    z = b.node(Op.MEAN, [y], MeanAttrs((1, 2), keep_dims=True))
    schedule = make_schedule(b.build(z))
    assert [(s.axis, s.tile) for s in schedule.steps] == [(Axis.ROWS, 4), (Axis.WHOLE, 1)]
    assert schedule.placements[y].ring == 4


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of every kind of sharing: in place, reshapes, joins, several outputs."""
    b = Int8Builder()
    for i in range(draw(st.integers(1, 3))):
        b.image(f"x{i}", draw(st.sampled_from([IMAGE, (1, 2, 2, 12), (1, 48), (1, 1, 1, 3)])))
    made = list(b.inputs)
    for _ in range(draw(st.integers(0, 12))):
        x = draw(st.sampled_from(made))
        shape = b.tensors[x].shape
        kind = draw(st.sampled_from(["relu", "add", "flat", "fold", "pool", "concat", "cut"]))
        if kind == "add":
            others = [n for n in made if len(b.tensors[n].shape) == len(shape)]
            fits = [n for n in others if _broadcasts(b.tensors[n].shape, shape)]
            made.append(b.node(Op.ADD, [x, draw(st.sampled_from(fits))]))
        elif kind == "flat":
            made.append(b.flat(x))
        elif kind == "fold":
            size = int(np.prod(shape))
            made.append(b.node(Op.RESHAPE, [x], ReshapeAttrs((1, 1, 1, size))))
        elif kind == "cut" and max(shape) > 1:
            size = next(d for d in shape if d > 1)
            made.append(b.cut(x, *sorted(draw(_ends(size)))))
        elif kind == "concat":
            made.append(b.node(Op.CONCAT, [x, x], ConcatAttrs(len(shape) - 1)))
        elif kind == "pool" and len(shape) == 4:
            made.append(b.pool(x))
        else:
            made.append(b.relu(x))
    outputs = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
    return b.build(*outputs)


def _ends(size: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, size), min_size=2, max_size=2, unique=True)


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(i == j or 1 in (i, j) for i, j in zip(a, b, strict=True))


@settings(deadline=None, max_examples=200)
@given(graphs())
def test_nothing_needed_is_overwritten(graph: Graph) -> None:
    schedule = make_schedule(graph)
    assert_sound(schedule)
    check_graph(schedule.graph, after="the choice of an order")
    buffers = find_buffers(graph, graph.nodes, {})
    assert schedule.arena_bytes <= plan_arena(buffers).nbytes
    again = make_schedule(graph)
    assert again.graph.nodes == schedule.graph.nodes
    assert again.placements == schedule.placements
    assert again.arena_bytes == schedule.arena_bytes


def plan(graph: Graph) -> Schedule:
    """With the demands of the portable kernels."""
    return make_schedule(graph, demands_of(graph, choose_variants(graph)))


@pytest.mark.parametrize("seed", range(60))
def test_no_row_is_overwritten_before_it_was_read(seed: int) -> None:
    assert_sound(plan(random_graph(seed, tuple(ROWS_READ), max_nodes=8)))


def test_random_graphs_overlap_in_both_directions() -> None:
    seen = set()
    for seed in range(120):
        schedule = plan(random_graph(seed, tuple(ROWS_READ), max_nodes=8))
        for step in schedule.steps:
            if schedule.placements[step.output].overlaps is not None:
                seen.add((step.nodes[0].op, step.falling))
    for op in (Op.CONV_2D, Op.DEPTHWISE_CONV_2D):
        assert {(op, False), (op, True)} <= seen
    assert {op for op, _ in seen} >= {Op.MAX_POOL, Op.TRANSPOSE_CONV_2D, Op.FULLY_CONNECTED}


def int8_model(file: str) -> Graph:
    from tinyflow.importers import load_model
    from tinyflow.passes import run_passes

    return attach_integers(run_passes(load_model(shared(f"mlperf_tiny/{file}"))))


@pytest.mark.parametrize(
    ("file", "apart", "overlapped"),
    [
        ("kws_ref_model.tflite", 16_000, 8_640),
        ("pretrainedResnet_quant.tflite", 49_152, 33_792),
    ],
)
def test_the_arena_of_known_models(file: str, apart: int, overlapped: int) -> None:
    """With every result beside its operand, and over it."""
    graph = int8_model(file)
    for schedule, nbytes in ((make_schedule(graph), apart), (plan(graph), overlapped)):
        assert_sound(schedule)
        assert schedule.arena_bytes == schedule.lower_bound_bytes == nbytes


def test_the_arena_of_a_mobilenet() -> None:
    """The largest step widens 48x48x8 to 48x48x16, a row at a time."""
    schedule = plan(mobilenet(0, 0.0)[0])
    assert_sound(schedule)
    assert schedule.arena_bytes == schedule.lower_bound_bytes == 48 * 48 * 16 + 48 * 8


def test_working_memory_is_there_while_its_node_runs() -> None:
    b = Int8Builder()
    y = b.pool(b.pool(b.image()))
    graph = b.build(y)
    first, second = graph.nodes
    schedule = make_schedule(graph, {second.name: Demand(scratch_bytes=100)})
    place = schedule.scratch[second.name]
    assert (place.first_step, place.last_step, place.nbytes) == (1, 1, 112)
    assert first.name not in schedule.scratch
    for name in (first.output, second.output):
        other = schedule.placements[name]
        assert place.end <= other.offset or other.end <= place.offset
    assert schedule.live_bytes(1) == schedule.lower_bound_bytes == 48 + 48 + 112


def test_a_kernel_that_overwrites_takes_over_its_operand() -> None:
    b = Int8Builder()
    x = b.image()
    smaller = b.node(Op.MAX_POOL, [x], PoolAttrs((2, 2), (2, 2)))
    graph = b.build(b.pool(smaller))
    demands = {node.name: Demand(overwrites=True) for node in graph.nodes}
    schedule = make_schedule(graph, demands)
    assert schedule.placements[smaller].alias_of == x
    assert schedule.arena_bytes == 48


def test_a_kernel_cannot_overwrite_what_is_needed_later() -> None:
    b = Int8Builder()
    x = b.image()
    y = b.pool(x)
    graph = b.build(b.node(Op.ADD, [x, y]))
    schedule = make_schedule(graph, {graph.nodes[0].name: Demand(overwrites=True)})
    assert schedule.placements[y].alias_of is None
