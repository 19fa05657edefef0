"""A sentence for the user, on its way to the process that asked."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818
    """Becomes a `ModelError` there."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def first_line(error: Exception) -> str:
    """What a library's exception says, without its stack of contexts."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
