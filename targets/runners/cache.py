"""Programs that were built from a bundle, kept for as long as this process lives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tinyflow.targets.build_tflite_micro import find_checkout, needs_tflite_micro
from tinyflow.targets.flags import INCLUDE_FOLDERS

_FOLDERS = (*INCLUDE_FOLDERS, "board")


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="tinyflow-cache-")


def build_once(bundle_dir: Path, variant: str, build: Callable[[Path], Path]) -> Path:
    """The program for these sources and this ``variant``; ``build(path)`` makes it if need be."""
    digest = hashlib.sha256(variant.encode())
    if needs_tflite_micro(bundle_dir):
        digest.update(str(find_checkout()).encode())
    for folder in _FOLDERS:
        for path in sorted((bundle_dir / folder).rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                digest.update(f"\n{path.relative_to(bundle_dir)} {len(data)}\n".encode())
                digest.update(data)
    program = Path(_folder().name) / digest.hexdigest()[:32]
    return program if program.exists() else build(program)
