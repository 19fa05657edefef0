"""How the image is cut into strips, and what memory a strip takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyflow.ir import Graph, Node

PLANES = 4
GATHERED = 3
"""Pixels of a row that are put together where some lie in the padding."""

LARGEST_PITCH = 4080
"""Bytes between two planes: a store reaches from one to the next."""

USUAL_SCRATCH = 6144
"""Bytes of scratch that a strip may always take."""

LEAST_BAND = 4
"""Rows of outputs below which too many input rows would be transformed twice."""


@dataclass(frozen=True)
class Plan:
    """``band`` is how many rows of outputs a strip has room for: an even number."""

    kernel_h: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    band: int

    @classmethod
    def of(cls, graph: Graph, node: Node) -> Plan | None:
        """The plan with the tallest strips that are worth their memory, if there is one."""
        x, weight = graph.operands(node)[:2]
        _, out_h, out_w, out_c = graph.result(node).shape
        shape = (weight.shape[1], x.shape[3], out_h, out_w, out_c)
        # A strip that holds all rows lets the result take over the input's memory.
        most = max(USUAL_SCRATCH, x.nbytes // 4)
        for band in range(out_h + out_h % 2, 0, -2):
            plan = cls(*shape, band)
            if 2 * plan.pitch <= LARGEST_PITCH and plan.scratch_bytes <= most:
                return plan if plan.is_whole or band >= LEAST_BAND else None
        return None

    @property
    def is_whole(self) -> bool:
        """Whether one strip holds all rows."""
        return self.band >= self.out_h

    @property
    def rows(self) -> int:
        """Transformed rows of a strip."""
        return self.band + self.kernel_h - 1

    @property
    def pitch(self) -> int:
        """16-bit values of a plane."""
        return self.rows * self.in_c

    @property
    def steps(self) -> int:
        """Pairs of values in a window's run."""
        return self.kernel_h * self.in_c // 2

    @property
    def scratch_bytes(self) -> int:
        """Planes, the kept column, gathered pixels, and spare outputs where tiles stick out."""
        spare = 4 * self.out_c if self.out_w % 2 else 2 * self.out_c if self.out_h % 2 else 0
        return 2 * PLANES * self.pitch + (self.rows + GATHERED) * self.in_c + spare

    @property
    def waste(self) -> float:
        """Outputs of all tiles by those that are there."""
        tiles = -(-self.out_h // 2) * -(-self.out_w // 2)
        return 4 * tiles / (self.out_h * self.out_w)


def works_in_place(graph: Graph, node: Node, plan: Plan) -> bool:
    """Whether the result may be written over the input.

    All rows of a strip are transformed before its outputs, two columns, are stored. The next
    strip's first column was kept, and its others start ``pad_left - 1`` columns before those.
    """
    attrs: Any = node.attrs
    same = graph.operands(node)[0].shape == graph.result(node).shape
    return same and plan.is_whole and attrs.padding[1][0] <= 1
