"""The page of conformance with ONNX is drawn from its record, and the record is current.

`python -m benchmarks.conformance --write` makes both anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
import pytest

from benchmarks.conformance.cases import node_cases
from benchmarks.conformance.climb import climb
from benchmarks.conformance.page import PAGE, Record, page, passing_ops
from benchmarks.conformance.verdict import Rung, Verdict

RECORD = Record.load()
GOAL = 80
STRIDE = 40
"""Of the tests that do not pass, every so many-th is tried again."""


def test_page_is_current() -> None:
    assert PAGE.read_text() == page(RECORD)


def test_goal_is_met() -> None:
    assert len(passing_ops(RECORD.verdicts)) >= GOAL


def test_every_refusal_has_its_sentence() -> None:
    assert [v.case for v in RECORD.verdicts if not v.reason and v.rung is not Rung.PASS] == []


def test_an_op_counts_only_where_no_test_of_it_fails() -> None:
    verdicts = [
        Verdict("a", "Good", False, Rung.PASS),
        Verdict("b", "Good", False, Rung.UNSUPPORTED, "why"),
        Verdict("c", "Bad", False, Rung.PASS),
        Verdict("d", "Bad", True, Rung.FAIL, "wrong"),
        Verdict("e", "Expanded", True, Rung.PASS),
        Verdict("f", "Float", False, Rung.FLOAT, "why"),
    ]
    assert passing_ops(verdicts) == ["Good"]


@pytest.mark.slow
def test_record_is_current() -> None:
    if RECORD.onnx != onnx.__version__:
        pytest.skip(f"the record is of the tests of onnx {RECORD.onnx}")
    names = {verdict.case for verdict in _sample(RECORD.verdicts)}
    with np.errstate(all="ignore"):
        found = climb([case for case in node_cases() if case.name in names])
    recorded = {verdict.case: verdict for verdict in RECORD.verdicts}
    for verdict in found:
        was = recorded[verdict.case]
        assert (verdict.rung, verdict.reason) == (was.rung, was.reason), verdict.case


def _sample(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The first test of each op that passes, and some of those that do not."""
    first: dict[str, Verdict] = {}
    others = []
    for verdict in verdicts:
        if verdict.rung is Rung.PASS and not verdict.expanded:
            first.setdefault(verdict.op, verdict)
        elif verdict.rung is not Rung.PASS:
            others.append(verdict)
    return [*first.values(), *others[::STRIDE]]
