"""Order of execution, and the memory plan."""

from tinyflow.codegen.schedule.make import make_schedule
from tinyflow.codegen.schedule.schedule import ALIGNMENT, Axis, Placement, Schedule, Step

__all__ = ["ALIGNMENT", "Axis", "Placement", "Schedule", "Step", "make_schedule"]
