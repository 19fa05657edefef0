"""Order of execution, and the memory plan."""

from tinyflow.codegen.schedule.make import make_schedule
from tinyflow.codegen.schedule.pressure import live_bytes
from tinyflow.codegen.schedule.schedule import (
    ALIGNMENT,
    Axis,
    Demand,
    Demands,
    Placement,
    Schedule,
    Step,
)

__all__ = [
    "ALIGNMENT",
    "Axis",
    "Demand",
    "Demands",
    "Placement",
    "Schedule",
    "Step",
    "live_bytes",
    "make_schedule",
]
