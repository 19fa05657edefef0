"""What kernels ask of the memory plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.overlap import Overlap


@dataclass(frozen=True)
class Demand:
    """What the kernel of a node asks of the memory plan.

    ``scratch_bytes`` are needed while the node runs. A kernel that ``overwrites`` may have its
    result in the very place of its first operand, if it is no larger. ``overlap`` says which
    other places may share bytes with that operand; where it is given, it also decides whether the
    same place is one of them, and ``overwrites`` is not looked at. ``replaces`` names the operands
    in whose very place the result may lie; where it is None and nothing else is said, those of
    an operation that goes element by element.

    Both hold for a kernel that is called once for all rows. The portable kernels keep to their
    overlap in bands of any height, too.
    """

    scratch_bytes: int = 0
    overwrites: bool = False
    overlap: Overlap | None = None
    replaces: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.scratch_bytes < 0:
            raise ValueError(f"a demand of {self.scratch_bytes} bytes")

    def room(self, operand: int, result: int) -> int:
        """The fewest bytes that hold the first operand, if it dies there, the result, and the
        working memory."""
        both = align(operand) + align(result)
        if self.overlap is not None:
            both = self.overlap.extent(operand, result)
        elif self.overwrites and result <= operand:
            both = align(operand)
        return both + align(self.scratch_bytes)


Demands = Mapping[str, Demand]
"""By node name; a node without an entry needs nothing but its tensors."""
