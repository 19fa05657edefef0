"""Counts instructions and models cycles of firmware in the emulator, function by function."""

from tinyflow.targets.profiler.counts import Counts, Inference, Unknown
from tinyflow.targets.profiler.elf import profile_elf
from tinyflow.targets.profiler.firmware import Profiled, profile_firmware
from tinyflow.targets.profiler.timing import Timing, load_timing

__all__ = [
    "Counts",
    "Inference",
    "Profiled",
    "Timing",
    "Unknown",
    "load_timing",
    "profile_elf",
    "profile_firmware",
]
