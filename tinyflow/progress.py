"""How long work tells what it is doing, without knowing who listens."""

from __future__ import annotations


class Progress:
    """Listens to nothing; the command line has one that writes to stderr."""

    def stage(self, text: str) -> None:
        """A new part of the work begins."""

    def note(self, text: str) -> None:
        """Something that the user should know, though the work goes on."""

    def count(self, what: str, done: int, total: int) -> None:
        """One long loop named ``what`` has done ``done`` of ``total``."""


SILENT = Progress()
