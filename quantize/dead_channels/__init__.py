"""Takes channels out of a quantized graph that are constant, or that no output depends on."""

from __future__ import annotations

from tinyflow.quantize.dead_channels.remove import Removal, remove_dead_channels

__all__ = ["Removal", "remove_dead_channels"]
