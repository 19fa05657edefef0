"""TinyFlow: from a trained model to a verified int8 firmware bundle."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyflow.bundle import read_bundle
    from tinyflow.pipeline import compile
    from tinyflow.quantize import quantize_model

__all__ = ["__version__", "compile", "quantize_model", "read_bundle"]
__version__ = "0.1.0"

_HOMES = {
    "compile": "tinyflow.pipeline",
    "quantize_model": "tinyflow.quantize",
    "read_bundle": "tinyflow.bundle",
}


def __getattr__(name: str) -> Any:
    # Lazy, so that `tinyflow --help` and `tinyflow.ir` do not load the whole compiler.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tinyflow' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
