"""What TinyFlow tells people when it cannot go on.

    TinyflowError                 a sentence for the user; main() prints it, exit 1
    ├── UsageError                the command line or the project file, exit 2
    ├── ModelError                the model file cannot be read or is not sound
    │   └── UnsupportedError      every layer that cannot be compiled, at once
    ├── DataError                 calibration or test data
    ├── BundleError               a bundle that cannot be written, read or trusted
    ├── ToolError                 a compiler, emulator or optional package is missing or failed
    ├── VerifyError               a compiled model differs from the integer reference
    └── GateError                 a budget or accuracy gate failed, exit 3

A bug is not a TinyflowError: it keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TinyflowError(Exception):
    """A sentence that says what is wrong and where, and a hint that says what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def render(self) -> str:
        """The text that the command line prints: the error, a blank line, the hint."""
        text = f"error: {self.message}"
        return f"{text}\n\nhint: {self.hint}" if self.hint else text


class UsageError(TinyflowError):
    exit_code = 2


class ModelError(TinyflowError):
    pass


@dataclass(frozen=True)
class Obstacle:
    """One reason why a layer cannot be compiled."""

    layer: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.layer}: {self.reason}{remedy}"


class UnsupportedError(ModelError):
    """Lists every obstacle that was found, by the source layer's name."""

    def __init__(self, obstacles: Sequence[Obstacle], hint: str = "") -> None:
        self.obstacles = tuple(obstacles)
        count = len(self.obstacles)
        head = f"{count} layer{'s' if count != 1 else ''} of this model cannot be compiled:"
        lines = [f"  - {obstacle}" for obstacle in self.obstacles]
        super().__init__("\n".join([head, *lines]), hint)


class DataError(TinyflowError):
    pass


class BundleError(TinyflowError):
    pass


class ToolError(TinyflowError):
    pass


class MissingExtraError(ToolError):
    """An optional package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the optional '{extra}' packages, which are not installed",
            f"pip install 'tinyflow[{extra}]'",
        )


class VerifyError(TinyflowError):
    pass


class GateError(TinyflowError):
    exit_code = 3
