"""Kinds of option values. Each function takes a string of the command line or a TOML value.

They raise ValueError with a sentence that says what the value should have been.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

_SIZE = re.compile(r"^(\d+(?:\.\d+)?) *([kKmM]i?)?[bB]?$")
_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}
_IDENTIFIER = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")


def text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError("expected a text")


def identifier(value: object) -> str:
    if isinstance(value, str) and _IDENTIFIER.match(value):
        return value
    raise ValueError("expected a C identifier: letters, digits and _, starting with a letter")


def choice(allowed: Sequence[str]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value in allowed:
            return str(value)
        raise ValueError(f"expected one of {', '.join(allowed)}")

    return parse


def truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("expected true or false")


def number(value: object) -> float:
    if not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            result = float(value)
        except ValueError:
            result = math.nan
        if math.isfinite(result):
            return result
    raise ValueError("expected a number")


def positive(value: object) -> float:
    result = number(value)
    if result <= 0.0:
        raise ValueError("expected a number above 0")
    return result


def integer(value: object) -> int:
    result = number(value)
    if result != int(result):
        raise ValueError("expected a whole number")
    return int(result)


def count(value: object) -> int:
    result = integer(value)
    if result < 1:
        raise ValueError("expected a whole number above 0")
    return result


def floats(value: object) -> tuple[float, ...]:
    return tuple(number(part) for part in _parts(value, ","))


def shape(value: object) -> tuple[int, ...]:
    try:
        dims = tuple(integer(part) for part in _parts(value, "x"))
    except ValueError:
        dims = ()
    if not dims or min(dims) < 1:
        raise ValueError("expected a shape such as 1x3x224x224")
    return dims


def bounds(value: object) -> tuple[float, float]:
    try:
        lo, hi = (number(part) for part in _parts(value, ":"))
    except ValueError:
        raise ValueError("expected two numbers, as in 0:1") from None
    if lo >= hi:
        raise ValueError("expected the lower number first")
    return lo, hi


def size(value: object) -> int:
    """Bytes; KB and KiB are both 1024."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a size such as 65536, 64KB or 1MB")
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()[:1]])


def _parts(value: object, separator: str) -> Sequence[Any]:
    if isinstance(value, str):
        return value.split(separator)
    return value if isinstance(value, list | tuple) else [value]
