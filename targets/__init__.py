"""Cores and boards: what they are, how to build for them, and how to run a bundle on them."""

from tinyflow.targets.load import list_targets, load_target
from tinyflow.targets.model import Board, Core, FlashProfile, Region, Target

__all__ = ["Board", "Core", "FlashProfile", "Region", "Target", "list_targets", "load_target"]
