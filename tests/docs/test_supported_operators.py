"""The page of supported operators is made from the code, and the committed one is current."""

from __future__ import annotations

import functools
import os

import pytest

from tests.support.paths import ROOT
from tinyflow.report.supported_operators import handler_table, rule, supported_operators

PAGE = ROOT / "docs" / "supported-operators.md"


def first(x: int, y: int = 0) -> None:
    """Kernels of any size,
    with a | in between."""


def second() -> None:
    """Two inputs."""


def undocumented() -> None:
    pass


def test_page_is_current() -> None:
    """UPDATE_REFS=1 writes it again."""
    page = supported_operators()
    if os.environ.get("UPDATE_REFS") == "1":
        PAGE.write_text(page)
    assert PAGE.read_text() == page


def test_operators_with_one_rule_share_a_row() -> None:
    rows = handler_table({"Sub": second, "Conv": functools.partial(first, y=1), "Add": second})
    assert rows.splitlines() == [
        "| operator | what is accepted |",
        "|---|---|",
        "| `Add`, `Sub` | Two inputs. |",
        r"| `Conv` | Kernels of any size, with a \| in between. |",
    ]


def test_missing_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="undocumented"):
        rule(undocumented)
