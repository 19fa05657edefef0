"""Quantization: calibration, range choice, corrections, and the integer reference.

Names are imported on first use, so that a look at the options costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyflow.quantize.attach import attach_integers
    from tinyflow.quantize.dead_channels import Removal, remove_dead_channels
    from tinyflow.quantize.flow import Quantized, quantize_and_record, quantize_model
    from tinyflow.quantize.intervals import ChannelRange, channel_ranges
    from tinyflow.quantize.metrics import LayerError, compare_layers
    from tinyflow.quantize.options import Progress, QuantizeOptions, RangeMethod
    from tinyflow.quantize.reference import run_reference, run_reference_batched

_HOME = {
    "ChannelRange": "intervals",
    "LayerError": "metrics",
    "Progress": "options",
    "QuantizeOptions": "options",
    "Quantized": "flow",
    "RangeMethod": "options",
    "Removal": "dead_channels",
    "attach_integers": "attach",
    "channel_ranges": "intervals",
    "compare_layers": "metrics",
    "quantize_and_record": "flow",
    "quantize_model": "flow",
    "remove_dead_channels": "dead_channels",
    "run_reference": "reference",
    "run_reference_batched": "reference",
}

__all__ = [
    "ChannelRange",
    "LayerError",
    "Progress",
    "QuantizeOptions",
    "Quantized",
    "RangeMethod",
    "Removal",
    "attach_integers",
    "channel_ranges",
    "compare_layers",
    "quantize_and_record",
    "quantize_model",
    "remove_dead_channels",
    "run_reference",
    "run_reference_batched",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
