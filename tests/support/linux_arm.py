"""What tests of programs for 64-bit Arm need."""

from __future__ import annotations

import shutil

import pytest

from tinyflow.targets.load import load_cores
from tinyflow.targets.model import COMPILERS, System

LINUX_CORES = [
    name for name, core in load_cores().items() if COMPILERS[core.compiler] is System.LINUX
]

_MISSING = [p for p in ("aarch64-linux-gnu-gcc", "qemu-aarch64") if shutil.which(p) is None]

needs_linux_arm = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} must be installed: scripts/setup test"
)
