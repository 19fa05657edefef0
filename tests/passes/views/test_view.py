"""The algebra of views agrees with NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.views import Atom, Moves, View, moves
from tinyflow.passes.views.moves import MOST_AXES
from tinyflow.passes.views.narrow import block_moves

Step = tuple[str, tuple[int, ...]]


MOVES = ("transpose", "join", "split")


@st.composite
def chains(draw: st.DrawFn, kinds: tuple[str, ...] = MOVES) -> tuple[tuple[int, ...], list[Step]]:
    """A shape with a batch axis of 1, then TRANSPOSEs, RESHAPEs and boxes with their operands."""
    factors = draw(st.lists(st.sampled_from([1, 2, 3, 4]), min_size=1, max_size=5))
    shape = (1, *factors)
    start, steps = shape, []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(kinds))
        if kind == "transpose":
            perm = (0, *draw(st.permutations(range(1, len(shape)))))
            shape = tuple(shape[axis] for axis in perm)
            steps.append(("transpose", perm))
        elif kind == "slice":
            axis = draw(st.integers(0, len(shape) - 1))
            begin = draw(st.integers(0, shape[axis] - 1))
            end = draw(st.integers(begin + 1, shape[axis]))
            stride = draw(st.integers(1, 2))
            steps.append(("slice", (axis, begin, end, stride)))
            size = len(range(begin, end, stride))
            shape = (*shape[:axis], size, *shape[axis + 1 :])
        else:
            if kind == "join" and len(shape) > 2:
                at = draw(st.integers(1, len(shape) - 2))
                shape = (*shape[:at], shape[at] * shape[at + 1], *shape[at + 2 :])
            else:
                at = draw(st.integers(1, len(shape) - 1))
                outer = draw(st.sampled_from([d for d in (1, 2, 3) if shape[at] % d == 0]))
                shape = (*shape[:at], outer, shape[at] // outer, *shape[at + 1 :])
            steps.append(("reshape", shape))
    return start, steps


def box(shape: tuple[int, ...], operands: tuple[int, ...]) -> tuple[list[int], ...]:
    axis, begin, end, stride = operands
    begins, ends, strides = [0] * len(shape), list(shape), [1] * len(shape)
    begins[axis], ends[axis], strides[axis] = begin, end, stride
    return begins, ends, strides


def apply(shape: tuple[int, ...], steps: list[Step]) -> tuple[View | None, np.ndarray]:
    view: View | None = View.of(shape)
    array = np.arange(math.prod(shape)).reshape(shape)
    for kind, operands in steps:
        if kind == "transpose":
            array = array.transpose(operands)
            view = view and view.transpose(operands)
        elif kind == "reshape":
            array = array.reshape(operands)
            view = view and view.reshape(operands)
        else:
            limits = box(array.shape, operands)
            array = array[tuple(slice(*ends) for ends in zip(*limits, strict=True))]
            view = view and view.slice(*limits)
    return view, array


def run(m: Moves, array: np.ndarray) -> np.ndarray:
    array = array if m.before is None else array.reshape(m.before)
    array = array if m.perm is None else array.transpose(m.perm)
    return array if m.after is None else array.reshape(m.after)


@given(chains((*MOVES, "slice")))
@settings(max_examples=200, deadline=None)
def test_a_composed_view_equals_numpy(case: tuple[tuple[int, ...], list[Step]]) -> None:
    view, array = apply(*case)
    if view is not None:
        np.testing.assert_array_equal(view.indices(), array)


@given(chains(("transpose",)))
@settings(max_examples=50, deadline=None)
def test_transposes_always_compose(case: tuple[tuple[int, ...], list[Step]]) -> None:
    view, array = apply(*case)
    assert view is not None
    np.testing.assert_array_equal(view.indices(), array)


@given(chains())
@settings(max_examples=200, deadline=None)
def test_moves_make_the_view(case: tuple[tuple[int, ...], list[Step]]) -> None:
    view, array = apply(*case)
    if view is None:
        return
    source = np.arange(array.size).reshape(case[0])
    found = moves(view, case[0])
    np.testing.assert_array_equal(run(found, source), array)
    assert found.before is None or found.before[0] == 1
    assert found.perm is None or found.perm[0] == 0
    assert (found.perm is None) == np.array_equal(array.reshape(-1), source.reshape(-1))


@given(chains())
@settings(max_examples=200, deadline=None)
def test_steps_make_the_view_with_four_axes(case: tuple[tuple[int, ...], list[Step]]) -> None:
    view, array = apply(*case)
    if view is None:
        return
    seen = np.arange(array.size).reshape(case[0])
    for _, attrs in moves(view, case[0]).steps(case[0]):
        if isinstance(attrs, TransposeAttrs):
            assert len(attrs.perm) <= MOST_AXES
            seen = seen.transpose(attrs.perm)
        else:
            assert isinstance(attrs, ReshapeAttrs)
            # One that does nothing would be removed and come back for ever.
            assert attrs.shape != seen.shape
            seen = seen.reshape(attrs.shape)
    np.testing.assert_array_equal(seen, array)


@given(chains())
@settings(max_examples=200, deadline=None)
def test_the_inverse_leads_back(case: tuple[tuple[int, ...], list[Step]]) -> None:
    shape = case[0]
    view, array = apply(*case)
    back = view.inverse(shape) if view is not None else None
    if view is None or back is None:
        return
    seen = array.reshape(-1)[back.indices()]
    np.testing.assert_array_equal(seen, np.arange(array.size).reshape(shape))
    assert view.then(back) == View.of(shape)


@given(chains((*MOVES, "slice")), st.data())
@settings(max_examples=200, deadline=None)
def test_views_compose(case: tuple[tuple[int, ...], list[Step]], data: st.DataObject) -> None:
    one, array = apply(*case)
    if one is None:
        return
    perm = (0, *data.draw(st.permutations(range(1, array.ndim))))
    two = View.of(array.shape).transpose(perm)
    both = one.then(two)
    assert both is not None
    np.testing.assert_array_equal(both.indices(), array.transpose(perm))


def test_images_as_tokens_cost_nothing() -> None:
    """[1,h,w,c] seen channels first, flattened, and tokens first again."""
    view = View.of((1, 5, 6, 4)).transpose((0, 3, 1, 2)).reshape((1, 4, 30))
    assert view is not None
    tokens = view.transpose((0, 2, 1))
    assert tokens.is_in_order
    assert moves(tokens, (1, 5, 6, 4)) == Moves(after=(1, 30, 4))


def test_heads_of_a_projection() -> None:
    """qkv of 2 heads of 3 channels: the keys are 6 channels from the seventh on."""
    view = View.of((1, 7, 18)).reshape((1, 7, 3, 2, 3))
    assert view is not None
    view = view.transpose((0, 2, 3, 1, 4)).slice((0, 1, 0, 0, 0), (1, 2, 2, 7, 3), (1,) * 5)
    assert view is not None
    assert view == View(((), (), (Atom(2, 3),), (Atom(7, 18),), (Atom(3, 1),)), 6)


def test_factors_that_share_no_divisor_have_no_view() -> None:
    view = View.of((1, 4, 6)).transpose((0, 2, 1))
    assert view.reshape((1, 8, 3)) is None
    assert view.reshape((1, 3, 8)) == View(((), (Atom(3, 2),), (Atom(2, 1), Atom(4, 6))))


@pytest.mark.parametrize(
    ("shape", "perm", "after"),
    [((1, 2, 3, 4), (0, 3, 1, 2), (1, 4, 6)), ((1, 2, 3, 4), (0, 2, 1, 3), (1, 3, 8))],
)
def test_a_reshape_stays_below_where_both_are_possible(
    shape: tuple[int, ...], perm: tuple[int, ...], after: tuple[int, ...]
) -> None:
    view = View.of(shape).transpose(perm).reshape(after)
    assert view is not None
    assert moves(view, shape) == Moves(None, perm, after)


@pytest.mark.parametrize(
    ("goal", "count"), [((1, 0), 1), ((2, 1, 0), 1), ((2, 3, 0, 4, 1), 2), ((1, 3, 0, 2), 2)]
)
def test_block_moves_are_few(goal: tuple[int, ...], count: int) -> None:
    found = block_moves(goal)
    order = tuple(range(len(goal)))
    for (first, second), blocks in found:
        parts = (order[:first], order[first:second], order[second:])
        order = sum((parts[block] for block in blocks), ())
    assert order == goal
    assert len(found) == count
