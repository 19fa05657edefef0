"""C identifiers and comments from names of the source model."""

from __future__ import annotations

import re

_LONGEST = 40
"""Characters of a source name that go into a C identifier."""


def identifier(text: str) -> str:
    """A lower-case C identifier part that resembles ``text``; it may be empty."""
    words = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").lower()
    return words[:_LONGEST].rstrip("_")


def join_identifiers(*parts: str) -> str:
    return "_".join(part for part in parts if part)


def comment_text(text: str) -> str:
    """``text`` on one line of ASCII that neither opens nor ends a C comment."""
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    return line.replace("*/", "* /").replace("/*", "/ *")
