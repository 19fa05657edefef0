"""TVM's C text as people would have written it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CFunction:
    """``parameters`` are C declarations, ``body`` lines of C without the outer braces."""

    parameters: tuple[str, ...]
    body: tuple[str, ...]


def tidy(source: str, name: str, written: Sequence[bool], restrict: bool) -> CFunction:
    """The function ``name`` of TVM's text. Parameters that are not ``written`` point to constants;
    with ``restrict``, no two of them to the same bytes."""
    match = re.search(rf"^TVM_DLL void {name}\(([^)]*)\) {{\n(.*)^}}$", source, re.M | re.S)
    if match is None:
        raise ValueError(f"no function '{name}' in\n{source}")
    parameters, body = match.groups()
    return CFunction(
        tuple(
            _parameter(text, is_written, restrict)
            for text, is_written in zip(parameters.split(", "), written, strict=True)
        ),
        tuple(body.splitlines()),
    )


def _parameter(text: str, is_written: bool, restrict: bool) -> str:
    kind, name = text.split("* ")
    return f"{'' if is_written else 'const '}{kind} *{'restrict ' if restrict else ''}{name}"
