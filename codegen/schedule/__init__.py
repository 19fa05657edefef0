"""Order of execution, and the memory plan."""

from tinyflow.codegen.schedule.alignment import ALIGNMENT
from tinyflow.codegen.schedule.fused import Fused, Window, contract
from tinyflow.codegen.schedule.inside import plan_inside
from tinyflow.codegen.schedule.make import make_schedule
from tinyflow.codegen.schedule.overlap import (
    Overlap,
    Span,
    falling_distance,
    overlap_of_rows,
    rising_by_chunks,
    rising_distance,
)
from tinyflow.codegen.schedule.pressure import live_bytes
from tinyflow.codegen.schedule.schedule import (
    Axis,
    Demand,
    Demands,
    Placement,
    Schedule,
    Step,
)
from tinyflow.codegen.schedule.views import find_pieces, find_view

__all__ = [
    "ALIGNMENT",
    "Axis",
    "Demand",
    "Demands",
    "Fused",
    "Overlap",
    "Placement",
    "Schedule",
    "Span",
    "Step",
    "Window",
    "contract",
    "falling_distance",
    "find_pieces",
    "find_view",
    "live_bytes",
    "make_schedule",
    "overlap_of_rows",
    "plan_inside",
    "rising_by_chunks",
    "rising_distance",
]
