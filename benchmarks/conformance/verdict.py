"""How far a test came, and why not further."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Rung(Enum):
    """The last thing that went well, or what went wrong."""

    PASS = "pass"
    """All the way to C that equals the integer reference."""
    FLOAT = "float only"
    """The float graph is right; there is no integer form."""
    UNSUPPORTED = "unsupported"
    """The importer refuses it with a sentence."""
    FAIL = "fail"
    """A wrong result, or an error that is no sentence."""


@dataclass(frozen=True)
class Verdict:
    """``reason`` is empty for a pass; ``sqnr_db`` is there for what was quantized, None where the
    integers are exact."""

    case: str
    op: str
    expanded: bool
    rung: Rung
    reason: str = ""
    sqnr_db: float | None = None
