"""Where the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from tinyflow.errors import TinyflowError
from tinyflow.progress import Progress

_BOLD_RED = "\033[1;31m"
_DIM = "\033[2m"
_PLAIN = "\033[0m"


class Console(Progress):
    """Messages, progress bars where stderr is a terminal, colours where they are welcome."""

    def __init__(self, out: TextIO, err: TextIO, json_output: bool = False) -> None:
        self.out = out
        self.err = err
        self.json = json_output
        self.bars = err.isatty()
        self._open: dict[str, Any] = {}
        self.colours = self.bars and not os.environ.get("NO_COLOR") and _terminal_has_colours()

    def stage(self, text: str) -> None:
        print(self._in(_DIM, text), file=self.err, flush=True)

    def note(self, text: str) -> None:
        print(f"note: {text}", file=self.err, flush=True)

    def count(self, what: str, done: int, total: int) -> None:
        if not self.bars:
            return
        if what not in self._open:
            from tqdm import tqdm

            self._open[what] = tqdm(desc=what, total=total, file=self.err, leave=False)
        bar = self._open[what]
        bar.update(done - bar.n)
        if done >= total:
            self._open.pop(what).close()

    def error(self, error: TinyflowError) -> None:
        head, colon, rest = error.render().partition(":")
        print(f"{self._in(_BOLD_RED, head)}{colon}{rest}", file=self.err, flush=True)

    def result(self, text: str, document: Any) -> None:
        """The command's result: ``text`` for people, ``document`` with --json."""
        shown = json.dumps(document, indent=2, allow_nan=False) if self.json else text
        print(shown, file=self.out)

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.colours else text


def _terminal_has_colours() -> bool:
    return os.environ.get("TERM", "dumb") != "dumb"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need; those whose every cell is a figure stand to the right."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(cell[:1].isdigit() or cell == "-" for cell in c[1:]) for c in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in (heads, *rows)
    ]
    return "\n".join(lines)


def pairs(values: Mapping[str, str]) -> str:
    """``name  value`` lines, the values in one column."""
    width = max(map(len, values), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in values.items())
