"""Arena offsets: sound, exact on small sets of buffers, the same every time."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyflow.codegen.schedule.conflicts import find_gaps, lower_bound
from tinyflow.codegen.schedule.lifetimes import Buffer, Lifetime, Meeting
from tinyflow.codegen.schedule.overlap import Overlap
from tinyflow.codegen.schedule.planner import (
    _ORDERS,
    Plan,
    lowest_offset,
    place_in_order,
    plan_arena,
)


def buffer(nbytes: int, first: int, last: int) -> Buffer:
    return Buffer([Lifetime("t", first, last, nbytes)])


@st.composite
def buffer_lists(draw: st.DrawFn, most: int = 14, least: int = 0, grains: int = 12) -> list[Buffer]:
    """Some of them begin where another ends, and may overlap it."""
    count = draw(st.integers(least, most))
    result: list[Buffer] = []
    for _ in range(count):
        first = draw(st.integers(0, 9))
        made = buffer(16 * draw(st.integers(1, grains)), first, draw(st.integers(first, 10)))
        begun = {b.first for b in result if b.meets is not None}
        dying = [i for i, b in enumerate(result) if b.last == first and b.first < first]
        if dying and first not in begun and draw(st.booleans()):
            made.meets = Meeting(draw(st.sampled_from(dying)), "t", draw(overlaps(16 * grains)))
        result.append(made)
    return result


@st.composite
def overlaps(draw: st.DrawFn, most: int) -> Overlap:
    falling = draw(st.one_of(st.none(), st.integers(-most // 4, most)))
    return Overlap(draw(st.integers(-most, most)), falling)


def are_apart(result: Buffer, at: int, operand: Buffer, bt: int) -> bool:
    """Whether a result and the operand that it meets lie as their overlap, or none, allows."""
    assert result.meets is not None
    overlap = result.meets.overlap
    if at + result.nbytes <= bt or bt + operand.nbytes <= at or bt - at >= overlap.rising:
        return True
    return overlap.falling is not None and at - bt >= overlap.falling


def is_sound(buffers: list[Buffer], offsets: tuple[int, ...]) -> bool:
    for (i, a), (j, b) in combinations(enumerate(buffers), 2):
        at, bt = offsets[i], offsets[j]
        if b.meets is not None and b.meets.buffer == i:
            fine = are_apart(b, bt, a, at)
        else:
            together = a.first <= b.last and b.first <= a.last
            fine = not together or at + a.nbytes <= bt or bt + b.nbytes <= at
        if not fine:
            return False
    return True


def top_of(buffers: list[Buffer], offsets: tuple[int, ...]) -> int:
    return max((o + b.nbytes for b, o in zip(buffers, offsets, strict=True)), default=0)


def assert_sound(buffers: list[Buffer], plan: Plan) -> None:
    assert is_sound(buffers, plan.offsets)
    assert all(offset >= 0 and offset % 16 == 0 for offset in plan.offsets)
    assert plan.nbytes == top_of(buffers, plan.offsets)


@given(buffer_lists())
def test_plans_are_sound_and_repeatable(buffers: list[Buffer]) -> None:
    plan = plan_arena(buffers)
    assert_sound(buffers, plan)
    assert plan.nbytes >= lower_bound(buffers)
    assert plan_arena(list(buffers)) == plan


@given(buffer_lists(most=6))
def test_small_sets_are_planned_exactly(buffers: list[Buffer]) -> None:
    """Some order of placing at the lowest free offset is optimal: try all of them."""
    sizes, gaps = [b.nbytes for b in buffers], find_gaps(buffers)
    orders = permutations(range(len(buffers)))
    least = min(place_in_order(sizes, gaps, order).nbytes for order in orders)
    assert plan_arena(buffers).nbytes == least


def without_negative(overlap: Overlap, operand: int) -> Overlap:
    """What the planner makes use of: no operand before its result, unless it may lie anywhere."""
    if overlap.rising <= -operand:
        return overlap
    falling = None if overlap.falling is None else max(overlap.falling, 0)
    return Overlap(max(overlap.rising, 0), falling)


@settings(max_examples=300, deadline=None)
@given(buffer_lists(most=4, least=1, grains=4))
def test_no_offsets_at_all_are_better(buffers: list[Buffer]) -> None:
    for made in buffers:
        if made.meets is not None:
            kept = without_negative(made.meets.overlap, buffers[made.meets.buffer].nbytes)
            made.meets = replace(made.meets, overlap=kept)
    plan = plan_arena(buffers)
    bound = lower_bound(buffers)
    places = [range(0, plan.nbytes - b.nbytes, 16) for b in buffers]
    for offsets in product(*places):
        assert not is_sound(buffers, offsets), offsets
    assert plan.nbytes >= bound


def test_a_chain_rises_and_falls_in_the_memory_of_its_largest_pair() -> None:
    """Each of equal layers overlaps the one before in all but 16 bytes."""
    chain = [buffer(160, step, step + 1) for step in range(8)]
    for i, made in enumerate(chain[1:]):
        made.meets = Meeting(i, "t", Overlap(16, 16))
    plan = plan_arena(chain)
    assert_sound(chain, plan)
    assert plan.nbytes == lower_bound(chain) == 176
    for made in chain[1:]:
        assert made.meets is not None
        made.meets = replace(made.meets, overlap=Overlap(16))
    assert plan_arena(chain).nbytes == 160 + 7 * 16


def test_a_small_result_lies_at_the_top_for_the_next_wide_one() -> None:
    """Rising rows leave it at the bottom, where the wide result cannot reach over it."""
    sizes = [320, 64, 320]
    buffers = [buffer(size, step, step + 1) for step, size in enumerate(sizes)]
    buffers[1].meets = Meeting(0, "t", Overlap(16, 272))
    buffers[2].meets = Meeting(1, "t", Overlap(272, 16))
    plan = plan_arena(buffers)
    assert_sound(buffers, plan)
    assert plan.nbytes == 336


def test_memory_of_a_tensor_that_shrank_is_free() -> None:
    """A smaller tensor takes over a larger one's place; the rest of it serves another."""
    place = Buffer([Lifetime("wide", 0, 1, 320), Lifetime("small", 1, 3, 64, "wide")])
    other = buffer(256, 2, 3)
    plan = plan_arena([place, other])
    assert plan.nbytes == 320 == lower_bound([place, other])
    assert sorted(plan.offsets) == [0, 64]


def test_the_search_beats_every_greedy_order() -> None:
    sizes = [(96, 1, 4), (96, 3, 3), (80, 4, 4), (64, 3, 4), (64, 4, 6)]
    buffers = [buffer(*size) for size in sizes]
    gaps = find_gaps(buffers)
    for key in _ORDERS:
        order = sorted(range(len(buffers)), key=lambda i, key=key: (key(buffers[i]), i))
        nbytes = place_in_order([b.nbytes for b in buffers], gaps, order).nbytes
        assert nbytes > lower_bound(buffers)
    plan = plan_arena(buffers)
    assert_sound(buffers, plan)
    assert plan.nbytes == lower_bound(buffers) == 304


def test_the_bound_may_be_out_of_reach() -> None:
    """Memory in one piece can need more than the sum of what is live."""
    sizes = [(16, 1, 2), (16, 2, 3), (32, 4, 4), (32, 3, 4)]
    sizes += [(16, 1, 3), (32, 0, 0), (32, 0, 1), (16, 2, 2)]
    buffers = [buffer(*size) for size in sizes]
    plan = plan_arena(buffers)
    assert_sound(buffers, plan)
    assert lower_bound(buffers) == 64
    assert plan.nbytes == 80


@pytest.mark.parametrize(
    ("taken", "offset"),
    [
        ([], 0),
        ([(-5, 4)], 4),
        ([(0, 9)], 0),
        ([(-5, 4), (3, 12)], 12),
        ([(-5, 4), (4, 12)], 4),
        ([(-5, 10), (-3, 4), (1, 8)], 10),
        ([(-5, 0)], 0),
    ],
)
def test_lowest_offset(taken: list[tuple[int, int]], offset: int) -> None:
    assert lowest_offset(taken) == offset


def test_no_buffers() -> None:
    assert plan_arena([]) == Plan((), 0)


def test_rows_fall_only_where_that_saves() -> None:
    """Both directions reach the bound; the plan is one of rising rows."""
    chain = [buffer(160, 0, 1), buffer(80, 1, 2), buffer(160, 2, 3)]
    chain[1].meets = Meeting(0, "t", Overlap(0, 80))
    chain[2].meets = Meeting(1, "t", Overlap(80, 0))
    top = plan_arena(chain)
    assert top.nbytes == lower_bound(chain) == 160
    chain[1].meets = Meeting(0, "t", Overlap(-160, 80))
    plan = plan_arena(chain)
    assert plan.nbytes == 160
    assert plan.offsets[1] - plan.offsets[2] >= 80
