"""Results that are a piece of another tensor's memory: where they lie, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.codegen.test_fusion import check as check_fused
from tests.codegen.test_schedule import assert_sound
from tests.support.bundles import write_graph_bundle
from tests.support.compiled import Job, compile_and_run
from tests.support.fused_graphs import (
    DSP,
    PORTABLE,
    THUMB1,
    BlockBuilder,
    fused_job,
    selection,
)
from tests.support.integer_layers import ACTIVATION, LayerBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Feature, choose_variants, demands_of, generate
from tinyflow.codegen.c.fusion import build, make_region
from tinyflow.codegen.schedule import Schedule, find_view, make_schedule
from tinyflow.ir import RELU, Graph, Op
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.quantize import run_reference
from tinyflow.verify import verify_bundle

MAP = (1, 6, 5, 4)
TOKENS = (1, 7, 8)


class ViewBuilder(LayerBuilder):
    def cut(self, x: str, name: str, begin: int, end: int, axis: int = 1, stride: int = 1) -> str:
        shape = self.tensors[x].shape
        first, last, strides = [0] * len(shape), [*shape], [1] * len(shape)
        first[axis], last[axis], strides[axis] = begin, end, stride
        attrs = SliceAttrs(tuple(first), tuple(last), tuple(strides))
        return self.same_scale(Op.SLICE, [x], attrs, name)

    def relu(self, x: str, name: str) -> str:
        return self.same_scale(Op.CLAMP, [x], ClampAttrs(RELU), name)

    def mixed(self, x: str, name: str) -> str:
        """A layer that cannot work in place."""
        channels = self.tensors[x].shape[-1]
        if len(self.tensors[x].shape) == 3:
            return self.dense(x, self.weights((channels, channels)), None, name)
        return self.conv(x, self.weights((channels, 1, 1, channels)), None, name)

    def add(self, a: str, b: str, name: str) -> str:
        return self.same_scale(Op.ADD, [a, b], None, name)

    def shaped(self, x: str, shape: tuple[int, ...], name: str) -> str:
        return self.same_scale(Op.RESHAPE, [x], ReshapeAttrs(shape), name)


@pytest.fixture(autouse=True)
def views_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No copies for the sake of a smaller arena."""
    monkeypatch.setattr("tinyflow.codegen.schedule.make.MOST_COPIES", 0)


def plan(graph: Graph) -> Schedule:
    return make_schedule(graph, demands_of(graph, choose_variants(graph)))


def offset_within(schedule: Schedule, piece: str, whole: str) -> int:
    return schedule.placements[piece].offset - schedule.placements[whole].offset


def silent(schedule: Schedule) -> set[str]:
    """The layers without a function."""
    return {layer.name for layer in generate(schedule, "m").layers if layer.function is None}


@pytest.mark.parametrize(
    ("shape", "begin", "end", "strides", "offset"),
    [
        (MAP, (0, 1, 0, 0), (1, 4, 5, 4), (1, 1, 1, 1), 20),
        (MAP, (0, 2, 1, 0), (1, 3, 4, 4), (1, 1, 1, 1), 44),
        (MAP, (0, 2, 3, 0), (1, 3, 4, 2), (1, 1, 1, 1), 52),
        (MAP, (0, 1, 0, 0), (1, 2, 5, 4), (1, 3, 1, 1), 20),
        (MAP, (0, 0, 0, 0), (1, 6, 5, 4), (1, 1, 1, 1), 0),
        (TOKENS, (0, 3, 0), (1, 7, 8), (1, 1, 1), 24),
        ((1, 12), (0, 4), (1, 9), (1, 1), 4),
        # Not in one piece, with steps between, and not at a word.
        (MAP, (0, 0, 1, 0), (1, 6, 3, 4), (1, 1, 1, 1), None),
        (MAP, (0, 0, 0, 0), (1, 6, 5, 4), (1, 2, 1, 1), None),
        (TOKENS, (0, 0, 0), (1, 7, 4), (1, 1, 1), None),
        ((1, 12), (0, 3), (1, 9), (1, 1), None),
    ],
)
def test_which_slices_are_views(
    shape: tuple[int, ...],
    begin: tuple[int, ...],
    end: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int | None,
) -> None:
    b = ViewBuilder()
    attrs = SliceAttrs(begin, end, strides)
    graph = b.build(b.same_scale(Op.SLICE, [b.image("x", shape)], attrs, "cut"))
    assert find_view(graph, graph.nodes[0]) == offset


def slices_of_slices(b: ViewBuilder) -> list[str]:
    outer = b.cut(b.mixed(b.image("x", MAP), "mixed"), "outer", 1, 6)
    return [b.mixed(b.cut(outer, "inner", 2, 4), "end")]


def outputs(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", MAP), "mixed")
    return [b.cut(x, "cut", 2, 4), b.relu(x, "relu")]


def slice_of_an_input(b: ViewBuilder) -> list[str]:
    x = b.image("x", MAP)
    return [b.cut(x, "cut", 3, 6), b.mixed(x, "mixed")]


def reshaped_slice(b: ViewBuilder) -> list[str]:
    tokens = b.cut(b.image("x", TOKENS), "cut", 1, 7)
    return [b.mixed(b.shaped(tokens, (1, 2, 3, 8), "shaped"), "end")]


def slice_of_a_reshape(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", (1, 2, 3, 8)), "mixed")
    return [b.relu(b.cut(b.shaped(x, (1, 6, 8), "shaped"), "cut", 2, 5), "end")]


def in_place_while_the_rest_is_read(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", MAP), "mixed")
    early = b.relu(b.cut(x, "cut", 1, 5), "early")
    return [b.add(b.mixed(x, "late"), x, "sum"), early]


def in_place_on_both_halves(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", MAP), "mixed")
    halves = [b.cut(x, f"cut{i}", 3 * i, 3 * i + 3) for i in (0, 1)]
    upper = b.relu(halves[0], "upper")
    return [b.add(upper, b.relu(halves[1], "lower"), "sum")]


def overlapping_slices(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", MAP), "mixed")
    return [b.add(b.cut(x, "first", 0, 5), b.cut(x, "second", 1, 6), "sum")]


def slice_as_a_factor(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", MAP), "mixed")
    pixel = b.cut(b.cut(x, "row", 0, 1), "pixel", 2, 3, axis=2)
    return [b.same_scale(Op.MUL, [x, pixel], None, "product")]


def late_piece(b: ViewBuilder) -> list[str]:
    """The memory around a piece serves others once the rest is no longer needed."""
    x = b.mixed(b.image("x", (1, 16, 8, 4)), "mixed")
    piece = b.cut(x, "piece", 12, 16)
    y = b.mixed(b.mixed(b.cut(x, "head", 0, 4), "one"), "two")
    return [b.add(y, piece, "sum")]


SLICES: list[Callable[[ViewBuilder], Sequence[str]]] = [
    slices_of_slices,
    outputs,
    slice_of_an_input,
    reshaped_slice,
    slice_of_a_reshape,
    in_place_while_the_rest_is_read,
    in_place_on_both_halves,
    overlapping_slices,
    slice_as_a_factor,
    late_piece,
]


def made(make: Callable[[ViewBuilder], Sequence[str]]) -> Graph:
    b = ViewBuilder(make.__name__)
    return b.finish(*make(b))


def test_slices_equal_the_reference(tmp_path: Path) -> None:
    """Their taps show the pieces when they begin to be, under the sanitizers."""
    check([made(make) for make in SLICES], tmp_path)


def check(graphs: Sequence[Graph], folder: Path) -> None:
    jobs = [Job(plan(graph), random_inputs(graph, 3)) for graph in graphs]
    for job in jobs:
        assert_sound(job.schedule)
    for job, result in zip(jobs, compile_and_run(jobs, folder), strict=True):
        expected: dict[str, np.ndarray] = {}
        reference = run_reference(job.graph, job.inputs, expected.__setitem__)
        nodes = [node for node in job.graph.nodes if node.op is not Op.RESHAPE]
        assert result.taps.keys() == {node.output for node in nodes}
        for name, codes in result.taps.items():
            np.testing.assert_array_equal(codes, expected[name], err_msg=f"{name} {job.graph}")
        for name, codes in result.outputs.items():
            np.testing.assert_array_equal(codes, reference[name], err_msg=f"{name} {job.graph}")


@pytest.mark.parametrize("make", SLICES)
def test_slices_need_no_code(make: Callable[[ViewBuilder], Sequence[str]]) -> None:
    schedule = plan(made(make))
    slices = {node.name for node in schedule.graph.nodes if node.op is Op.SLICE}
    assert slices <= silent(schedule)


def test_a_slice_of_a_slice_lies_in_both() -> None:
    schedule = plan(made(slices_of_slices))
    assert offset_within(schedule, "outer:0", "mixed:0") == 20
    assert offset_within(schedule, "inner:0", "mixed:0") == 60
    assert schedule.placements["inner:0"].alias_of == "outer:0"


def test_memory_of_which_a_piece_is_read_later_is_not_overwritten() -> None:
    schedule = plan(made(in_place_while_the_rest_is_read))
    assert schedule.placements["early:0"].alias_of is None


def test_halves_are_overwritten_one_by_one() -> None:
    schedule = plan(made(in_place_on_both_halves))
    assert schedule.placements["upper:0"].alias_of == "cut0:0"
    assert schedule.placements["lower:0"].alias_of == "cut1:0"


def test_a_result_does_not_replace_a_piece_of_which_others_are_read_elsewhere() -> None:
    schedule = plan(made(overlapping_slices))
    assert schedule.placements["sum:0"].alias_of is None
    schedule = plan(made(slice_as_a_factor))
    assert schedule.placements["product:0"].alias_of is None


def test_memory_around_a_piece_is_free() -> None:
    """16 rows of 32 bytes, of which four stay while two layers of four rows are computed."""
    schedule = plan(made(late_piece))
    assert schedule.arena_bytes <= 2 * 16 * 8 * 4


def test_a_slice_is_copied_where_that_needs_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sliced can be overwritten, if the slice does not lie there."""
    graph = made(outputs)
    view = plan(graph)
    monkeypatch.setattr("tinyflow.codegen.schedule.make.MOST_COPIES", 8)
    copy = plan(graph)
    assert_sound(copy)
    assert copy.arena_bytes < view.arena_bytes
    assert copy.placements["relu:0"].alias_of == "mixed:0"
    assert (silent(view), silent(copy)) == ({"cut"}, set())


def joined_results(b: ViewBuilder) -> list[str]:
    x = b.image("x", MAP)
    parts = [b.mixed(x, "one"), b.mixed(x, "two")]
    return [b.mixed(b.concat(parts, "join", 1), "end")]


def joined_twice(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", MAP), "mixed")
    return [b.mixed(b.concat([x, x], "join", 1), "end")]


def joined_with_an_input(b: ViewBuilder) -> list[str]:
    x = b.image("x", MAP)
    return [b.mixed(b.concat([b.mixed(x, "mixed"), x], "join", 1), "end")]


def joined_in_joined(b: ViewBuilder) -> list[str]:
    x = b.image("x", TOKENS)
    inner = b.concat([b.mixed(x, "one"), b.relu(x, "two")], "inner", 1)
    return [b.relu(b.concat([b.mixed(x, "three"), inner], "outer", 1), "end")]


def joined_in_two(b: ViewBuilder) -> list[str]:
    x = b.image("x", TOKENS)
    parts = [b.mixed(x, "one"), b.mixed(x, "two")]
    first, second = (b.concat(order, name, 1) for order, name in ((parts, "a"), (parts[::-1], "b")))
    return [b.add(first, second, "sum")]


def joined_and_read_later(b: ViewBuilder) -> list[str]:
    x = b.image("x", TOKENS)
    parts = [b.mixed(x, "one"), b.mixed(x, "two")]
    whole = b.relu(b.concat(parts, "join", 1), "relu")
    return [b.add(parts[1], b.cut(whole, "cut", 2, 9), "sum")]


def joined_reshapes(b: ViewBuilder) -> list[str]:
    """As detectors join the predictions of maps of several sizes."""
    x = b.image("x", (1, 4, 4, 8))
    small = b.conv(x, b.weights((8, 1, 1, 8)), None, "small", stride=2)
    maps = [b.mixed(x, "large"), b.mixed(small, "last")]
    rows = [b.shaped(m, (1, n, 4), f"rows{n}") for m, n in zip(maps, (32, 8), strict=True)]
    return [b.concat(rows, "join", 1)]


def joined_slices(b: ViewBuilder) -> list[str]:
    x = b.mixed(b.image("x", TOKENS), "mixed")
    ends = [b.cut(x, "tail", 4, 7), b.cut(x, "head", 0, 3)]
    return [b.concat(ends, "join", 1), b.relu(x, "relu")]


def joined_outputs(b: ViewBuilder) -> list[str]:
    x = b.image("x", TOKENS)
    parts = [b.mixed(x, "one"), b.mixed(x, "two")]
    return [b.concat(parts, "join", 1), parts[0]]


def joined_channels(b: ViewBuilder) -> list[str]:
    x = b.image("x", (1, 1, 1, 8))
    parts = [b.mixed(x, "one"), b.mixed(x, "two")]
    return [b.mixed(b.concat(parts, "join", 3), "end")]


def joined_off_words(b: ViewBuilder) -> list[str]:
    x = b.image("x", (1, 3, 5))
    parts = [b.relu(x, "one"), b.relu(b.mixed(x, "two"), "three")]
    return [b.concat(parts, "join", 1)]


JOINS: list[Callable[[ViewBuilder], Sequence[str]]] = [
    joined_results,
    joined_twice,
    joined_with_an_input,
    joined_in_joined,
    joined_in_two,
    joined_and_read_later,
    joined_reshapes,
    joined_slices,
    joined_outputs,
    joined_channels,
    joined_off_words,
]


def test_joined_pieces_equal_the_reference(tmp_path: Path) -> None:
    check([made(make) for make in JOINS], tmp_path)


@pytest.mark.parametrize(
    ("make", "copied"),
    [
        (joined_results, {}),
        (joined_twice, {"join": 1}),
        (joined_with_an_input, {"join": 1}),
        (joined_in_joined, {}),
        (joined_in_two, {"b": 2}),
        (joined_and_read_later, {}),
        (joined_reshapes, {}),
        (joined_slices, {"join": 2}),
        (joined_outputs, {}),
        (joined_channels, {}),
        (joined_off_words, {"join": 1}),
    ],
)
def test_only_operands_that_lie_elsewhere_are_copied(
    make: Callable[[ViewBuilder], Sequence[str]], copied: dict[str, int]
) -> None:
    source = generate(plan(made(make)), "m").files["src/m.c"].decode()
    functions = source.split("static TINYFLOW_NOINLINE void ")[1:]
    calls = {text.split("(")[0]: text.count("tinyflow_concat_s8_rows(") for text in functions}
    found = {name: count for name, count in calls.items() if count}
    assert [found[name] for name in found] == [*copied.values()]
    assert all(name.endswith(layer) for name, layer in zip(found, copied, strict=True))


def test_pieces_lie_one_after_another() -> None:
    """Of the first map, half as long as the second, and of what is joined within."""
    schedule = plan(made(joined_in_joined))
    offsets = {name: offset_within(schedule, f"{name}:0", "outer:0") for name in
               ("three", "inner", "one", "two")}  # fmt: skip
    assert offsets == {"three": 0, "inner": 56, "one": 56, "two": 112}
    assert schedule.placements["one:0"].alias_of == "inner:0"


def test_joined_predictions_need_no_memory_of_their_own() -> None:
    schedule = plan(made(joined_reshapes))
    assert offset_within(schedule, "last:0", "join:0") == 4 * 4 * 8
    # The image, the small map, and the join.
    assert schedule.arena_bytes <= 128 + 32 + 160


class FusedViewBuilder(ViewBuilder, BlockBuilder):
    """Views between blocks that are fused."""


@pytest.mark.parametrize("features", [PORTABLE, DSP, THUMB1])
def test_fused_steps_read_and_write_pieces(features: frozenset[Feature], tmp_path: Path) -> None:
    """A perceptron by positions and a bottleneck by rows over parts of a map, joined again."""
    b = FusedViewBuilder("blocks", 3)
    x = b.pointwise(b.image("x", (1, 12, 6, 4)), 4, "stem")
    upper = b.perceptron(b.cut(x, "upper", 0, 4), 3, "mlp")
    lower = b.bottleneck(b.cut(x, "lower", 4, 12), 4, "block")
    graph = b.finish(b.pointwise(b.concat([upper, lower], "join", 1), 4, "end"))
    regions = [make_region(graph, frozenset(n.name for n in graph.nodes if n.name.startswith(stem)))
               for stem in ("mlp/", "block/")]  # fmt: skip
    steps = [build(graph, r, 2, selection(features)) for r in regions if r is not None]
    job = fused_job(graph, steps, features)
    places = job.schedule.placements
    assert [places[name].alias_of for name in ("upper:0", "lower:0")] == ["stem:0"] * 2
    assert [places[name].alias_of for name in (upper, lower)] == ["join:0"] * 2
    check_fused([job], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m0plus", "cortex-m55"])
def test_the_emulator_equals_the_reference(target: str, tmp_path: Path) -> None:
    """Kernels that read words find them where pieces begin between multiples of 16 bytes."""
    b = FusedViewBuilder("pieces", 4)
    x = b.pointwise(b.image("x", (1, 9, 1, 12)), 12, "stem")
    parts = [b.pointwise(b.cut(x, f"cut{i}", i, i + 3), 12, f"part{i}") for i in (1, 5)]
    whole = b.bottleneck(b.concat(parts, "join", 1), 12, "block")
    graph = b.finish(b.add(b.cut(whole, "late", 1, 5), b.cut(x, "early", 3, 7), "sum"))
    inputs = random_inputs(graph, 3)
    bundle = read_bundle(write_graph_bundle(tmp_path / "net", graph, inputs, target))
    verdict = verify_bundle(bundle, "qemu")
    assert verdict.bit_exact, verdict
    assert verdict.tensors_compared == len(graph.nodes)


def test_views_end_a_region() -> None:
    b = FusedViewBuilder("blocks", 3)
    x = b.pointwise(b.image("x", (1, 1, 1, 8)), 8, "stem")
    cut = b.same_scale(Op.SLICE, [x], SliceAttrs((0, 0, 0, 4), (1, 1, 1, 8), (1,) * 4), "cut")
    graph = b.finish(b.pointwise(cut, 4, "end"))
    assert make_region(graph, frozenset(("stem", "cut"))) is None


def test_a_constant_has_no_views() -> None:
    b = ViewBuilder()
    x = b.constant("c", np.arange(24, dtype=np.int8).reshape(1, 6, 4), ACTIVATION)
    y = b.add(b.cut(x, "cut", 2, 4), b.image("x", (1, 2, 4)), "sum")
    schedule = plan(b.finish(y))
    assert schedule.placements["cut:0"].alias_of is None
    assert silent(schedule) == set()
