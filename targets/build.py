"""Compiles and links the C sources of a bundle, without CMake."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinyflow.errors import BundleError, ToolError
from tinyflow.targets.build_tflite_micro import build_tflite_micro, needs_tflite_micro
from tinyflow.targets.flags import (
    BALANCED,
    COMPILE_FLAGS,
    INCLUDE_FOLDERS,
    LIBRARIES,
    LINK_FLAGS,
    LINUX_LINK_FLAGS,
    OPTIMIZE_FLAGS,
    SANITIZE_FLAGS,
    VERIFY_FLAGS,
)
from tinyflow.targets.model import Board, System, Target
from tinyflow.targets.tools import call

_CORTEX_M = ("board/cortex-m/startup.c", "board/cortex-m/platform_semihosting.c")


def model_name(bundle_dir: Path) -> str:
    """The C name of the model: its header is the one in include/."""
    headers = sorted((bundle_dir / "include").glob("*.h"))
    if len(headers) != 1:
        raise BundleError(
            f"'{bundle_dir}' has {len(headers)} headers in include/, not the model's one",
            "compile the model again",
        )
    return headers[0].stem


def build_firmware(
    bundle_dir: Path,
    target: Target,
    verify: bool = False,
    board: Board | None = None,
    output: Path | None = None,
    application: str = "harness",
    optimize: str = BALANCED,
) -> Path:
    """The linked ELF file, by default build/<model>.elf in the bundle: firmware, or a program of
    the target's Linux.

    ``verify`` builds with taps. ``board`` is what to link for, by default the target's own;
    ``application`` names the file of app/ that holds main(), ``optimize`` a goal of
    `OPTIMIZE_FLAGS`. The ELF file holds no path and no date, so the same bundle gives the same
    bytes wherever it lies. Raises `ToolError`.
    """
    bundle_dir = bundle_dir.resolve()
    output = output or bundle_dir / "build" / f"{model_name(bundle_dir)}.elf"
    if target.system is System.LINUX:
        return _build_linux(bundle_dir, target, output, verify, application, optimize)
    board = board or target.board
    if board is None:
        raise ToolError(
            f"there is no firmware for the target '{target.name}'",
            "compile for a core or a board; tinyflow targets lists them",
        )
    if needs_tflite_micro(bundle_dir):
        return build_tflite_micro(bundle_dir, output, board, verify, application)
    sources = [*_model_sources(bundle_dir), *_CORTEX_M, f"app/{application}.c"]
    link = [*LINK_FLAGS, "-Lboard/cortex-m", f"-Tboard/{board.name}/memory.ld"]
    purpose = f"building the firmware for {board.name}"
    flags = [OPTIMIZE_FLAGS[optimize], *(VERIFY_FLAGS if verify else ())]
    try:
        _build(bundle_dir, target, sources, flags, link, output, purpose)
    except ToolError as error:
        if overflows := re.findall(r"region `(\w+)' overflowed by (\d+) bytes", error.message):
            amounts = " and ".join(f"{region} is short of {n} bytes" for region, n in overflows)
            raise ToolError(
                f"the firmware does not fit the memory of {board.name}: {amounts}",
                "choose a target with more memory, or a smaller model",
            ) from None
        raise
    return output


def _build_linux(
    bundle_dir: Path, target: Target, output: Path, verify: bool, application: str, optimize: str
) -> Path:
    sources = [*_model_sources(bundle_dir), "app/platform_host.c", f"app/{application}.c"]
    flags = [OPTIMIZE_FLAGS[optimize], *(VERIFY_FLAGS if verify else ())]
    purpose = f"building the program for {target.title}"
    _build(bundle_dir, target, sources, flags, LINUX_LINK_FLAGS, output, purpose)
    return output


def build_host(
    bundle_dir: Path,
    compiler: Target,
    output: Path,
    verify: bool = False,
    sanitize: bool = False,
    application: str = "harness",
    optimize: str = BALANCED,
) -> Path:
    """The harness as a program for this computer. Raises `ToolError`."""
    bundle_dir = bundle_dir.resolve()
    if needs_tflite_micro(bundle_dir):
        return build_tflite_micro(bundle_dir, output, None, verify, application)
    sources = host_sources(bundle_dir, application)
    extra = SANITIZE_FLAGS if sanitize else ()
    flags = [OPTIMIZE_FLAGS[optimize], *extra, *(VERIFY_FLAGS if verify else ())]
    purpose = "building the bundle for this computer"
    _build(bundle_dir, compiler, sources, flags, list(extra), output, purpose)
    return output


def host_sources(bundle_dir: Path, application: str) -> list[str]:
    """What a program for a computer with an operating system is compiled from, by path in the
    bundle."""
    return [*_model_sources(bundle_dir), "app/platform_host.c", f"app/{application}.c"]


def compile_flags(flags: Sequence[str]) -> list[str]:
    """``flags``, and those that every source of a bundle is compiled with in its folder."""
    return [*COMPILE_FLAGS, *flags, *(f"-I{folder}" for folder in INCLUDE_FOLDERS)]


def _model_sources(bundle_dir: Path) -> list[str]:
    found = sorted(p.name for p in (bundle_dir / "src").iterdir() if p.suffix in (".c", ".S"))
    if not found:
        raise BundleError(f"'{bundle_dir}' has no sources in src/", "compile the model again")
    return [*(f"src/{name}" for name in found), "app/profile.c"]


def _build(
    bundle_dir: Path,
    target: Target,
    sources: Sequence[str],
    flags: Sequence[str],
    link: Sequence[str],
    output: Path,
    purpose: str,
) -> None:
    """Runs the compiler in the bundle's folder with relative paths: they are all it can store."""
    compile_ = [target.compiler, *target.flags, *compile_flags(flags)]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BundleError(f"'{output.parent}' cannot be created: {error.strerror}") from None
    with tempfile.TemporaryDirectory(prefix="tinyflow-build-") as folder:
        objects = [str(Path(folder) / f"{i:02d}.o") for i in range(len(sources))]

        def compile_one(source: str, result: str) -> None:
            call([*compile_, "-c", source, "-o", result], purpose, bundle_dir)

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(compile_one, sources, objects))
        libraries = LIBRARIES if target.board is not None else ()
        command = [target.compiler, *target.flags, *objects, *link, *libraries]
        call([*command, "-o", str(output.resolve())], purpose, bundle_dir)
