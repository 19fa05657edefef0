"""Long lines of C, broken where a reader would break them."""

from __future__ import annotations

WIDTH = 100
_INDENT = 4
_LEAST = 0.5
"""Of the width, that stands on a line before it is broken."""


def wrapped(line: str) -> list[str]:
    """In lines of at most `WIDTH`, each broken behind the comma or operator that joins the largest
    parts."""
    own = len(line) - len(line.lstrip())
    found = []
    while len(line) > WIDTH and (at := _best_break(line)):
        found.append(line[:at])
        line = " " * (own + _INDENT) + line[at + 1 :]
    return [*found, line]


def _best_break(line: str) -> int | None:
    """The space to break at, the last one of those in the fewest parentheses; never in an index."""
    depth, index, best, least = 0, 0, None, float("inf")
    begin = len(line) - len(line.lstrip())
    for at, character in enumerate(line[:WIDTH]):
        depth += (character in "([") - (character in ")]")
        index += (character == "[") - (character == "]")
        can_break = character == " " and at > begin and line[at - 1] in ",=+-*/%&|^<>?:"
        is_best = depth < least or (depth == least and at >= _LEAST * WIDTH)
        if can_break and index == 0 and is_best:
            best, least = at, depth
    return best
