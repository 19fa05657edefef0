"""Quantization: calibration, range choice, corrections, and the integer reference.

Names are imported on first use, so that a look at the options costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyflow.quantize.attach import attach_integers
    from tinyflow.quantize.flow import Quantized, quantize_and_record, quantize_model
    from tinyflow.quantize.metrics import LayerError, compare_layers
    from tinyflow.quantize.options import Progress, QuantizeOptions, RangeMethod
    from tinyflow.quantize.reference import run_reference, run_reference_batched

_HOME = {
    "LayerError": "metrics",
    "Progress": "options",
    "QuantizeOptions": "options",
    "Quantized": "flow",
    "RangeMethod": "options",
    "attach_integers": "attach",
    "compare_layers": "metrics",
    "quantize_and_record": "flow",
    "quantize_model": "flow",
    "run_reference": "reference",
    "run_reference_batched": "reference",
}

__all__ = [
    "LayerError",
    "Progress",
    "QuantizeOptions",
    "Quantized",
    "RangeMethod",
    "attach_integers",
    "compare_layers",
    "quantize_and_record",
    "quantize_model",
    "run_reference",
    "run_reference_batched",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
