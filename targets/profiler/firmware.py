"""Profiles a bundle's firmware in the emulator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.errors import ToolError
from tinyflow.targets.model import FlashProfile, Target
from tinyflow.targets.profiler.counts import Inference, parse_result
from tinyflow.targets.profiler.plugin import build_plugin
from tinyflow.targets.profiler.setup import Setup, plugin_arguments
from tinyflow.targets.profiler.symbols import read_symbols
from tinyflow.targets.profiler.timing import Timing, load_timing
from tinyflow.targets.runners.batch import run_batch
from tinyflow.targets.runners.qemu import emulated_target, emulator_command, find_firmware
from tinyflow.targets.runners.records import check_inputs

_SETUP = "setup.txt"
_RESULT = "profile.txt"


@dataclass(frozen=True)
class Profiled:
    """The inferences in the order of the inputs, and the models that gave their cycles."""

    inferences: tuple[Inference, ...]
    target: Target
    timing: Timing
    flash_profile: FlashProfile | None


def profile_firmware(
    bundle: Bundle,
    inputs: Mapping[str, np.ndarray],
    roots: Collection[str],
    progress: Callable[[int, int], None] | None = None,
) -> Profiled:
    """One inference for each entry along the first axis of ``inputs``, raw integers [n, ...].

    ``roots`` are C functions that collect what the functions that they call cost. Raises
    `DataError` where the inputs do not fit, `ToolError` where a tool is missing or fails,
    `UsageError` where the target is not emulated.
    """
    records = check_inputs(bundle.graph, inputs)
    target = emulated_target(bundle)
    assert target.emulator is not None
    elf = find_firmware(bundle, target)
    profile = target.board.flash_profile if target.board else None
    timing = load_timing(target.core)
    setup = Setup(read_symbols(elf), timing, target.emulator.flash, profile, frozenset(roots))
    text = setup.text()
    # The harness runs in a folder below the one that holds the setup.
    plugin = plugin_arguments(build_plugin(), f"../{_SETUP}", _RESULT)
    command = [*emulator_command(target, elf), *plugin]
    output_bytes = sum(bundle.graph.tensors[name].nbytes for name in bundle.graph.outputs)
    with TemporaryDirectory(prefix="tinyflow-profile-") as folder:
        (Path(folder) / _SETUP).write_text(text)
        done = run_batch(
            command,
            records,
            output_bytes,
            Path(folder),
            f"profiling '{bundle.name}'",
            progress or (lambda finished, total: None),
        )
        names = [function.name for function in setup.functions]
        found = [
            inference
            for part in done.parts
            for inference in parse_result((part.folder / _RESULT).read_text(), names)
        ]
    if len(found) != len(records):
        raise ToolError(f"the profiler saw {len(found)} inferences, not {len(records)}")
    return Profiled(tuple(found), target, timing, profile)
