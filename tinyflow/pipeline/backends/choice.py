"""Which backend compiles for a target where none is named, which ones can, and their options."""

from __future__ import annotations

from tinyflow.errors import UsageError
from tinyflow.project import CompileOptions
from tinyflow.targets import Target
from tinyflow.targets.model import System

DEFAULT = "c"

_OF_JETSONS = ("c",)
_OF_SYSTEMS = {
    System.HOST: ("c", "tflm", "tvm"),
    System.BARE_METAL: ("c", "tflm", "tvm"),
    System.LINUX: ("c", "tvm"),
}

_OPTIONS = {
    "autotune": ("c", "--autotune chooses among the kernels of --backend c"),
    "tflite": ("tflm", "a .tflite file comes with --backend tflm"),
    "tflite_builtins": ("tflm", "--tflite-builtins is about the .tflite file of --backend tflm"),
}
"""Options that one backend heeds, by field: its name, and what they are there for."""


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


def check_backend_options(options: CompileOptions) -> None:
    """Raises `UsageError` for an option that does nothing with the chosen backend."""
    for field, (backend, purpose) in _OPTIONS.items():
        if getattr(options, field) and options.backend != backend:
            raise UsageError(
                f"{purpose}, and this is --backend {options.backend}",
                f"leave {field.replace('_', '-')} out, or choose --backend {backend}",
            )
