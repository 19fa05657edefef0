"""The parity ladder: one model in every runtime, each held against the one before, by tensor."""

from tinyflow.verify.ladder.climb import climb
from tinyflow.verify.ladder.floats import FloatModel
from tinyflow.verify.ladder.rung import Difference, Ladder, Outcome, Rung, Unit

__all__ = ["Difference", "FloatModel", "Ladder", "Outcome", "Rung", "Unit", "climb"]
