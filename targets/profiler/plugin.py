"""Builds the profiler's plugin for the installed emulator, once for each version of either."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from tinyflow.errors import ToolError
from tinyflow.targets.runners.qemu import EMULATOR
from tinyflow.targets.tools import call

COMPILER = "gcc"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden")
_PURPOSE = "building the profiler"


def build_plugin() -> Path:
    """The plugin, from the user's cache where it has been built before. Raises `ToolError`."""
    emulator = call([EMULATOR, "--version"], "profiling", Path.cwd()).splitlines()[0]
    compiler = call([COMPILER, "--version"], _PURPOSE, Path.cwd()).splitlines()[0]
    flags = (*FLAGS, f"-DTINYFLOW_PLUGIN_API={plugin_api(emulator)}")
    sources = plugin_sources()
    digest = hashlib.sha256(repr((emulator, compiler, flags)).encode())
    for name, data in sources.items():
        digest.update(f"\n{name} {len(data)}\n".encode())
        digest.update(data)
    name = f"profiler-{digest.hexdigest()[:32]}.so"
    for folder in (cache_folder(), _process_folder()):
        if (folder / name).is_file():
            return folder / name
    return _compile(sources, flags, name)


def plugin_sources() -> dict[str, bytes]:
    """The C files of the plugin by name."""
    entries = files("tinyflow.firmware").joinpath("profiler").iterdir()
    found = {e.name: e.read_bytes() for e in entries if e.name.endswith((".c", ".h"))}
    return dict(sorted(found.items()))


def plugin_api(version: str) -> int:
    """The version of the plugin interface of an emulator that calls itself ``version``."""
    match = re.search(r"version (\d+)\.(\d+)", version)
    if match is None:
        raise ToolError(f"'{version}' does not tell the version of {EMULATOR}")
    number = (int(match[1]), int(match[2]))
    return 1 if number < (9, 0) else 2 if number < (9, 1) else 3


def cache_folder() -> Path:
    """Where built plugins are kept for this user."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    # The convention ignores a folder that is not absolute.
    base = Path(root) if Path(root).is_absolute() else Path.home() / ".cache"
    return base / "tinyflow"


@cache
def _temporary() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="tinyflow-profiler-")


def _process_folder() -> Path:
    return Path(_temporary().name)


def _compile(sources: dict[str, bytes], flags: tuple[str, ...], name: str) -> Path:
    """Builds beside the final place and renames, so that no one ever loads half a plugin."""
    target = cache_folder()
    try:
        target.mkdir(parents=True, exist_ok=True)
        writable = os.access(target, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        target = _process_folder()
    with TemporaryDirectory(prefix=".build-", dir=target) as work:
        for source, data in sources.items():
            (Path(work) / source).write_bytes(data)
        units = [source for source in sources if source.endswith(".c")]
        call([COMPILER, *flags, *units, "-o", name], _PURPOSE, Path(work))
        (Path(work) / name).replace(target / name)
    return target / name
