"""Stored tensors and what is seen of them, cut into common atoms."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyflow.passes.views import View
from tinyflow.passes.views.factored import Factored


@given(st.permutations([1, 2, 3]), st.lists(st.sampled_from([1, 2, 3, 4]), min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_what_is_seen_comes_back_into_stored_order(perm: list[int], sizes: list[int]) -> None:
    stored = (1, *sizes)
    order = (0, *perm)
    view = View.of(stored).transpose(order)
    axes = Factored.of(view, stored)
    assert axes is not None
    assert axes.stored_shape == stored
    assert axes.view() == view
    array = np.arange(np.prod(stored)).reshape(stored)
    np.testing.assert_array_equal(axes.stored_array(array.transpose(order)), array)
    assert axes.to_stored(view) == View.of(stored)


def nchw(h: int = 5, w: int = 6, c: int = 4) -> Factored:
    axes = Factored.of(View.of((1, h, w, c)).transpose((0, 3, 1, 2)), (1, h, w, c))
    assert axes is not None
    return axes


def test_tokens_of_a_map_are_cut_where_its_rows_begin() -> None:
    view = View.of((1, 5, 6, 4)).reshape((1, 30, 4))
    assert view is not None
    axes = Factored.of(view, (1, 5, 6, 4))
    assert axes == Factored((5, 6, 4), ((), (0,), (1,), (2,)), ((), (0, 1), (2,)))


def test_axes_that_cut_through_rows_have_no_common_atoms() -> None:
    view = View.of((1, 5, 6, 4)).reshape((1, 3, 10, 4))
    assert view is not None
    assert Factored.of(view, (1, 5, 6, 4)) is None


def test_an_axis_gets_another_size() -> None:
    axes = nchw()
    assert axes.stored_axis(1) == 3
    wider = axes.resized(axes.seen[1], 7)
    assert wider.stored_shape == (1, 5, 6, 7)
    assert wider.seen_shape == (1, 7, 5, 6)
    assert axes.resized(axes.seen[1], 1).stored_shape == (1, 5, 6, 1)


def test_operands_that_broadcast_follow() -> None:
    axes = nchw()
    per_channel = axes.broadcast((4, 1, 1))
    assert per_channel is not None
    assert per_channel.stored_shape == (1, 1, 1, 4)
    row = axes.broadcast((6,))
    assert row is not None
    assert row.stored_shape == (1, 1, 6, 1)
    tokens = Factored((5, 6, 4), ((), (0, 1), (2,)), ((), (2,), (0,), (1,)))
    assert tokens.broadcast((5, 1)) is None
