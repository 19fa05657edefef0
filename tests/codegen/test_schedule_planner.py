"""Arena offsets: sound, exact on small sets of buffers, the same every time."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyflow.codegen.schedule.lifetimes import Buffer, Lifetime
from tinyflow.codegen.schedule.planner import (
    _ORDERS,
    Plan,
    _place_in_order,
    lower_bound,
    lowest_gap,
    plan_arena,
)


def buffer(nbytes: int, first: int, last: int) -> Buffer:
    return Buffer(nbytes, [Lifetime("t", first, last)])


@st.composite
def buffer_lists(draw: st.DrawFn, most: int = 14) -> list[Buffer]:
    count = draw(st.integers(0, most))
    result = []
    for _ in range(count):
        first = draw(st.integers(0, 9))
        result.append(buffer(16 * draw(st.integers(1, 12)), first, draw(st.integers(first, 10))))
    return result


def assert_sound(buffers: list[Buffer], plan: Plan) -> None:
    placed = list(zip(buffers, plan.offsets, strict=True))
    for (a, at), (b, bt) in combinations(placed, 2):
        if a.overlaps(b):
            assert at + a.nbytes <= bt or bt + b.nbytes <= at
    assert all(offset >= 0 and offset % 16 == 0 for offset in plan.offsets)
    assert plan.nbytes == max((o + b.nbytes for b, o in placed), default=0)


@given(buffer_lists())
def test_plans_are_sound_and_repeatable(buffers: list[Buffer]) -> None:
    plan = plan_arena(buffers)
    assert_sound(buffers, plan)
    assert plan.nbytes >= lower_bound(buffers)
    assert plan_arena(list(buffers)) == plan


@given(buffer_lists(most=6))
def test_small_sets_are_planned_exactly(buffers: list[Buffer]) -> None:
    """Some order of placing at the lowest free offset is optimal: try all of them."""
    conflicts = [
        [j for j, b in enumerate(buffers) if j != i and a.overlaps(b)]
        for i, a in enumerate(buffers)
    ]
    orders = permutations(range(len(buffers)))
    least = min(_place_in_order(buffers, conflicts, order).nbytes for order in orders)
    assert plan_arena(buffers).nbytes == least


def test_the_search_beats_every_greedy_order() -> None:
    sizes = [(96, 1, 4), (96, 3, 3), (80, 4, 4), (64, 3, 4), (64, 4, 6)]
    buffers = [buffer(*size) for size in sizes]
    conflicts = [
        [j for j, b in enumerate(buffers) if j != i and a.overlaps(b)]
        for i, a in enumerate(buffers)
    ]
    for key in _ORDERS:
        order = sorted(range(len(buffers)), key=lambda i, key=key: (key(buffers[i]), i))
        assert _place_in_order(buffers, conflicts, order).nbytes > lower_bound(buffers)
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
    ("taken", "nbytes", "offset"),
    [
        ([], 5, 0),
        ([(0, 4)], 5, 4),
        ([(5, 9)], 5, 0),
        ([(0, 4), (8, 12)], 4, 4),
        ([(0, 4), (8, 12)], 5, 12),
        ([(0, 10), (2, 4), (6, 8)], 1, 10),
    ],
)
def test_lowest_gap(taken: list[tuple[int, int]], nbytes: int, offset: int) -> None:
    assert lowest_gap(taken, nbytes) == offset


def test_no_buffers() -> None:
    assert plan_arena([]) == Plan((), 0)
