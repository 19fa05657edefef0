"""The headers of the portable kernels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files


def kernel_files(kernels: Sequence[str]) -> dict[str, bytes]:
    """The kernel headers that are used, and those that they include."""
    found: dict[str, bytes] = {}
    wanted = ["tinyflow.h", *(f"{kernel}.h" for kernel in kernels)]
    while wanted:
        file = wanted.pop()
        if file not in found:
            found[file] = files("tinyflow.firmware").joinpath("kernels", file).read_bytes()
            wanted += re.findall(r'^#include "(.+)"$', found[file].decode(), re.MULTILINE)
    return {file: found[file] for file in sorted(found)}
