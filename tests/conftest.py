"""The order of the tests: the smoke test, then the fast ones, then the slow ones."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The same examples everywhere, and no failure because a machine is busy.
settings.register_profile("tinyflow", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("tinyflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever breaks quickly is seen first; within each part the order stays as it is."""
    items.sort(key=_part)


def _part(item: pytest.Item) -> int:
    if item.get_closest_marker("slow"):
        return 2
    return 0 if item.path.name == "test_smoke.py" else 1
