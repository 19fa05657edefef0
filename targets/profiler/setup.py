"""What the plugin is told about a firmware; firmware/profiler/setup.h gives the format."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tinyflow.errors import ToolError
from tinyflow.targets.model import FlashProfile, Region
from tinyflow.targets.profiler.symbols import Symbol, function_ranges
from tinyflow.targets.profiler.timing import Timing

BEGIN = "tinyflow_profile_begin"
END = "tinyflow_profile_end"


@dataclass(frozen=True)
class Setup:
    """``roots`` are the functions that collect what the functions that they call cost.

    ``flash`` is where the firmware's flash lies in the emulated machine; without a
    ``flash_profile``, there is no instruction cache and nothing misses it.
    """

    symbols: tuple[Symbol, ...]
    timing: Timing
    flash: Region
    flash_profile: FlashProfile | None = None
    roots: Collection[str] = field(default_factory=frozenset)

    @cached_property
    def functions(self) -> tuple[Symbol, ...]:
        return function_ranges(self.symbols)

    def text(self) -> str:
        """The setup file. Raises `ToolError` where the firmware lacks the two marks."""
        cache = (0, 0)
        if self.flash_profile is not None:
            cache = (self.flash_profile.cache_bytes, self.flash_profile.line_bytes)
        lines = [
            f"begin {self._address(BEGIN):#x}",
            f"end {self._address(END):#x}",
            f"flash {self.flash.origin:#x} {self.flash.nbytes}",
            f"cache {cache[0]} {cache[1]}",
            *(f"cycles {name} {value}" for name, value in self.timing.cycles.items()),
            *(f"rule {name} {value}" for name, value in self.timing.rules.items()),
            *(
                f"function {f.address:#x} {f.nbytes} {int(f.name in self.roots)} {f.name}"
                for f in self.functions
            ),
        ]
        return "\n".join(lines) + "\n"

    def _address(self, name: str) -> int:
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol.address
        raise ToolError(
            f"the firmware has no function {name}, so an inference cannot be found in it",
            "compile the model again",
        )


def plugin_arguments(plugin: Path, setup: str, result: str) -> list[str]:
    """Arguments of the emulator; ``setup`` and ``result`` are files without a comma."""
    # The emulator reads two commas as one.
    return ["-plugin", f"{str(plugin).replace(',', ',,')},setup={setup},result={result}"]
