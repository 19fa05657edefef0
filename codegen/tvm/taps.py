"""Which taps of a window fall on the image, where the others are left out."""

from __future__ import annotations

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import const32
from tinyflow.codegen.tvm.builder import Builder, Expr


def valid_taps(
    build: Builder, name: str, first: Expr, size: int, kernel: int, inside: bool
) -> tuple[Expr, Expr]:
    """The taps [begin, end) of a kernel that lie on pixels 0 to ``size - 1``, if tap 0 lies on
    pixel ``first``; all of them where every window is ``inside``."""
    if inside:
        return const32(0), const32(kernel)
    begin = build.let(f"{name}_begin", tirx.max(-first, 0))
    end = build.let(f"{name}_end", tirx.min(size - first, kernel))
    return begin, end
