"""The table of backends."""

from __future__ import annotations

from tinyflow.pipeline.backends import BACKENDS
from tinyflow.project import options


def test_every_backend_that_can_be_chosen_exists() -> None:
    assert set(options.BACKENDS) <= set(BACKENDS)
    assert options.option("backend").parse("c") == "c"
