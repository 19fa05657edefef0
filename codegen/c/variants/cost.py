"""What a kernel costs on one layer: cycles, and bytes in flash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Graph, Node
from tinyflow.targets.model import FlashProfile


@dataclass(frozen=True)
class Cost:
    """``cycles`` are those of the core with zero wait states, ``flash_loads`` and
    ``cache_misses`` what a board's flash makes wait for. ``own_bytes`` are the layer's function,
    weights and tables; ``shared_bytes`` code that layers of one shape share.
    """

    cycles: int
    flash_loads: int = 0
    cache_misses: int = 0
    own_bytes: int = 0
    shared_bytes: int = 0

    def waited(self, flash: FlashProfile | None) -> int:
        """Cycles with the waits of a board's flash, where it is known."""
        if flash is None:
            return self.cycles
        waits = flash.data_load_cycles * self.flash_loads + flash.miss_cycles * self.cache_misses
        return round(self.cycles + waits)


Costs = Callable[[Graph, Node, Variant], Cost | None]
"""The cost of a variant on a node; None where nothing is known of it."""
