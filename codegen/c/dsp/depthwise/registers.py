"""Which registers a sweep uses for what, and what it keeps on the stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinyflow.codegen.c.dsp.depthwise.arithmetic import LARGEST_OFFSET
from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.plan import Plan
from tinyflow.codegen.c.dsp.depthwise.taps import line_pairs

SUMS = ["r0", "r1", "r2", "r3"]
"""One for each output of a pass."""

IN = "r10"
POOL = ["r4", "r5", "r6", "r7", "r8", "r9", "r11", "r12", "lr"]
"""For weights, words and what requantization needs."""

SAVED_BYTES = 36
"""What the function's first PUSH stores."""

MOST_RESIDENT = 6
"""Weight pairs that stay in registers; the three that are left take words."""

PASSES_BYTES = 512
"""Of a plane's line, at most what passes without a loop advance by."""


@dataclass(frozen=True)
class Registers:
    """For the sweep of a plan whose passes end with ``finish``."""

    plan: Plan
    finish: Finish

    @cached_property
    def pairs(self) -> int:
        """Weight pairs of a line."""
        return len(line_pairs(self.plan.points.kernel, self.plan.odd))

    @property
    def reachable(self) -> bool:
        """Whether the offset of a load spans all lines of the windows of a few passes."""
        return self.plan.lines.kernel * self.plan.line_bytes + PASSES_BYTES <= LARGEST_OFFSET

    @cached_property
    def resident(self) -> bool:
        """Whether the weights of a channel stay in registers, the first of the pool."""
        return self.reachable and self.plan.pairs <= MOST_RESIDENT

    @property
    def weights(self) -> list[str]:
        return POOL[: self.plan.pairs] if self.resident else []

    @property
    def free(self) -> list[str]:
        return POOL[len(self.weights) :]

    @property
    def borrowed(self) -> list[str]:
        """Registers of weights that the end of a pass needs too, and then reloads."""
        return POOL[max(0, len(POOL) - self.finish.registers) : len(self.weights)]

    @cached_property
    def slots(self) -> dict[str, int]:
        """What lies on the stack, bytes from SP."""
        names = [*self.finish.loaded, "bias", "end_of_line", "lines_left", "stream", "channels"]
        names += [] if self.plan.is_whole else ["lines", "start", "plane"]
        names += self.borrowed
        slots = {name: 4 * i for i, name in enumerate(names)}
        slots["weights"] = 4 * len(names)
        return slots

    @property
    def frame(self) -> int:
        """Bytes of the stack beside the saved registers; the sum is a multiple of 8."""
        weights = 0 if self.resident else 8 * -(-self.plan.pairs // 2)
        size = self.slots["weights"] + weights
        return size + (size + SAVED_BYTES) % 8

    def load(self, register: str, slot: str) -> str:
        return f"ldr {register}, [sp, #{self.slots[slot]}]"

    def store(self, register: str, slot: str) -> str:
        return f"str {register}, [sp, #{self.slots[slot]}]"
