"""Builds a staged bundle's firmware and runs it: the proof, and the outputs on test data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.data import Dataset
from tinyflow.errors import VerifyError
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions
from tinyflow.quantize import run_reference_batched
from tinyflow.targets import Target
from tinyflow.targets.build import build_firmware
from tinyflow.targets.memory import MemoryUse, measure_memory
from tinyflow.targets.model import System
from tinyflow.targets.runners import get_runner
from tinyflow.targets.runners.qemu import emulator_of
from tinyflow.targets.tools import PACKAGES, call, is_installed
from tinyflow.verify import Verdict
from tinyflow.verify.expected import expected_by, expected_outputs
from tinyflow.verify.taps import verify_dataset

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Firmware:
    """What building and running gave; None for what was not done.

    ``outputs`` are those of ``runner`` on the test data, ``reference`` the integer reference's.
    ``stage`` is the word for what computed them.
    """

    compiler: str | None = None
    memory: MemoryUse | None = None
    stack_bytes: int | None = None
    runner: str | None = None
    outputs: Arrays | None = None
    reference: Arrays | None = None
    verdicts: tuple[Verdict, ...] = ()
    stage: str = "compiled"


def build_and_run(
    bundle: Bundle,
    target: Target,
    weight_bytes: int,
    table_bytes: int,
    vectors: Mapping[str, np.ndarray],
    test: Dataset | None,
    options: CompileOptions,
    progress: Progress,
) -> Firmware:
    """Builds the ELF file, compares every tensor on the test vectors, and runs the test data.

    A missing tool is a note, not an error. Raises `VerifyError` where the firmware does not
    compute what it has to.
    """
    reference = _reference(bundle, test, progress)
    elf = None
    if options.build and not target.is_host and _has(target.compiler, "build firmware", progress):
        progress.stage(f"Building the firmware for {target.title}")
        elf = build_firmware(bundle.path, target, optimize=options.optimize)
    compiler = _compiler_version(bundle, target) if elf else None
    runner = _choose_runner(target, options, elf is not None, progress)
    # A program of Linux lies in no flash, and holds the C library.
    measured = target.system is System.BARE_METAL
    if runner is None:
        memory = measure_memory(elf, weight_bytes, table_bytes) if measured and elf else None
        return Firmware(compiler, memory, reference=reference)

    verdict = verify_dataset(bundle, runner, Dataset(vectors, None, "test vectors"), progress)
    verdict.raise_on_mismatch()
    progress.stage(f"Running the test data on {runner}" if test else f"Running on {runner}")
    inputs = test.codes(bundle.graph) if test else vectors
    result = get_runner(runner).run(
        bundle, inputs, progress=lambda done, total: progress.count(f"run on {runner}", done, total)
    )
    if reference is not None:
        expected = expected_outputs(bundle, inputs) if bundle.is_lowered else reference
        _check_outputs(runner, result.outputs, expected, expected_by(bundle))
    stack = result.stack_bytes
    memory = measure_memory(elf, weight_bytes, table_bytes, stack) if measured and elf else None
    return Firmware(
        compiler=compiler,
        memory=memory,
        stack_bytes=stack,
        runner=runner,
        outputs=result.outputs if test else None,
        reference=reference,
        verdicts=(verdict,),
    )


def _reference(bundle: Bundle, test: Dataset | None, progress: Progress) -> Arrays | None:
    if test is None:
        return None
    progress.stage(f"Running the integer reference on {len(test)} inputs")
    return run_reference_batched(bundle.graph, test.codes(bundle.graph))


def _has(program: str, purpose: str, progress: Progress) -> bool:
    if is_installed(program):
        return True
    progress.note(
        f"{program} is not installed, so that TinyFlow cannot {purpose} "
        f"(sudo apt-get install {PACKAGES[program]})"
    )
    return False


def _choose_runner(
    target: Target, options: CompileOptions, built: bool, progress: Progress
) -> str | None:
    """The emulator for what it emulates; this computer for the target ``host``."""
    if not options.run:
        return None
    if target.is_host:
        return "host" if options.build and _has("gcc", "run the bundle", progress) else None
    if not built:
        return None
    if target.emulated_by is None:
        progress.note(f"{target.name} has no emulator, the firmware was not run")
        return None
    return "qemu" if _has(emulator_of(target), "run the firmware", progress) else None


def _compiler_version(bundle: Bundle, target: Target) -> str:
    number = call([target.compiler, "-dumpfullversion"], "asking for a version", bundle.path)
    return f"{target.compiler} {number.strip()}"


def _check_outputs(runner: str, outputs: Arrays, right: Arrays, reference: str) -> None:
    for name, expected in right.items():
        wrong = int((outputs[name] != expected).any(axis=tuple(range(1, expected.ndim))).sum())
        if wrong:
            raise VerifyError(
                f"on {runner}, output '{name}' differs from the {reference} for {wrong} of "
                f"{len(expected)} inputs",
                "this is a bug: compile with --no-run, then 'tinyflow verify DIR' with the same "
                "data names the first layer that differs",
            )
