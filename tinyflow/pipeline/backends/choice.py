"""Which backend compiles for a target where none is named, and which ones can."""

from __future__ import annotations

from tinyflow.errors import UsageError
from tinyflow.targets import Target
from tinyflow.targets.model import System

DEFAULT = "c"

_OF_JETSONS = ("c",)
_OF_SYSTEMS = {
    System.HOST: ("c", "tflm", "tvm"),
    System.BARE_METAL: ("c", "tflm", "tvm"),
    System.LINUX: ("c", "tvm"),
}


def choose_backend(target: Target, backend: str | None) -> str:
    """``backend``, or the target's default. Raises `UsageError` where it does not compile for the
    target."""
    jetson = target.jetson
    if jetson is not None and backend in (None, "tvm"):
        raise UsageError(
            f"there is no code generator for the GPU of the {target.title} yet",
            f"--backend {DEFAULT} compiles int8 for its CPU cores ({target.core})",
        )
    chosen = backend or DEFAULT
    allowed = _OF_JETSONS if jetson is not None else _OF_SYSTEMS[target.system]
    if chosen not in allowed:
        raise UsageError(
            f"--backend {chosen} does not compile for '{target.name}'",
            f"choose one of {', '.join(allowed)}",
        )
    return chosen
