"""Runs bundles: on this computer, in the emulator, on another computer."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.errors import UsageError
from tinyflow.targets.runners.host import HostRunner
from tinyflow.targets.runners.qemu import QemuRunner
from tinyflow.targets.runners.runner import Runner, RunResult
from tinyflow.targets.runners.ssh import SshRunner

RUNNERS: dict[str, Callable[[], Runner]] = {"host": HostRunner, "qemu": QemuRunner}
PLACED_RUNNERS: dict[str, Callable[[str], Runner]] = {"ssh": SshRunner}
"""Those that need a place behind a colon."""

__all__ = ["PLACED_RUNNERS", "RUNNERS", "RunResult", "Runner", "SshRunner", "get_runner"]


def get_runner(spec: str) -> Runner:
    """The runner that ``--on`` names. Raises `UsageError` naming all there are."""
    kind, colon, place = spec.partition(":")
    if colon and kind in PLACED_RUNNERS:
        return PLACED_RUNNERS[kind](place)
    if spec not in RUNNERS:
        raise UsageError(
            f"there is no runner '{spec}'",
            f"choose one of {', '.join(sorted(RUNNERS))}, ssh:USER@HOST",
        )
    return RUNNERS[spec]()
