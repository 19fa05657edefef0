"""Breaks long lines of generated C."""

from __future__ import annotations

import re
import textwrap

WIDTH = 100


def wrapped(text: str, indent: int = 0) -> str:
    """C code that has no strings, broken behind commas into lines of at most `WIDTH`; ``indent``
    are the spaces that stand before it already."""
    own = len(text) - len(text.lstrip(" "))
    text, indent = text[own:], indent + own
    lines = textwrap.wrap(
        re.sub(r"(?<!,) ", "\0", text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return " " * own + "\n".join(lines).lstrip().replace("\0", " ")
