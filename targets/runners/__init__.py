"""Runs bundles: on this computer, in the emulator."""

from __future__ import annotations

from tinyflow.errors import UsageError
from tinyflow.targets.runners.host import HostRunner
from tinyflow.targets.runners.qemu import QemuRunner
from tinyflow.targets.runners.runner import Runner, RunResult

RUNNERS: dict[str, type[Runner]] = {"host": HostRunner, "qemu": QemuRunner}

__all__ = ["RUNNERS", "RunResult", "Runner", "get_runner"]


def get_runner(spec: str) -> Runner:
    """The runner that ``--on`` names. Raises `UsageError` naming all there are."""
    if spec not in RUNNERS:
        raise UsageError(
            f"there is no runner '{spec}'", f"choose one of {', '.join(sorted(RUNNERS))}"
        )
    return RUNNERS[spec]()
