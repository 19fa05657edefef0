"""What the ladder is made of: rungs, and the tensors at which two of them differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Unit(Enum):
    """What differences are counted in."""

    CODES = "codes"
    """Integers of a tensor's own scale."""

    RELATIVE = "of the largest value"
    """The largest difference over the largest magnitude in the tensor."""

    DECIBEL = "dB"
    """Signal to quantization noise: a larger figure is a smaller difference."""


class Outcome(Enum):
    EQUAL = "equal"
    """To the last bit."""

    CLOSE = "close"
    """Within the bound that the rung states."""

    EXPLAINED = "explained"
    """It differs where, and only as much as, the runtime is known to."""

    QUANTIZED = "quantized"
    """The step from real numbers to integers, which is a loss and not an error."""

    DIFFERS = "differs"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Difference:
    """One tensor in which two rungs differ, by ``amount`` in the rung's unit at most.

    ``elements`` of ``total`` differ, over all inputs. ``explanation`` says why the runtime
    computes something else there, where that is known.
    """

    layer: str
    op: str
    tensor: str
    amount: float
    elements: int | None = None
    total: int | None = None
    explanation: str | None = None


@dataclass(frozen=True)
class Rung:
    """One runtime, compared with the rung ``against``.

    ``differences`` are in execution order, so that the first one names the layer to look at.
    ``note`` says what was left out, or why nothing was run.
    """

    name: str
    against: str
    outcome: Outcome
    unit: Unit = Unit.CODES
    inputs: int = 0
    tensors: int = 0
    differences: tuple[Difference, ...] = ()
    note: str | None = None

    @property
    def first(self) -> Difference | None:
        return self.differences[0] if self.differences else None

    @property
    def summary(self) -> str:
        """The first difference and how large it is, or what else there is to say."""
        texts = [self.note] if self.note else []
        if self.first is not None and self.unit is not Unit.DECIBEL:
            texts.insert(0, f"'{self.first.layer}': {self._amount(self.first)}")
        return "; ".join(texts)

    def _amount(self, difference: Difference) -> str:
        text = f"by {difference.amount:g} at most"
        if self.unit is Unit.RELATIVE:
            text = f"{difference.amount:.1e} {self.unit.value}"
        if difference.elements is not None and difference.total is not None:
            text = f"{difference.elements} of {difference.total} codes {text}"
        return f"{text} ({difference.explanation})" if difference.explanation else text

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.DIFFERS

    def to_json(self) -> dict[str, Any]:
        return {
            "rung": self.name,
            "against": self.against,
            "outcome": self.outcome.value,
            "unit": self.unit.value,
            "inputs": self.inputs,
            "tensors_compared": self.tensors,
            "first_difference": asdict(self.first) if self.first else None,
            "differences": [asdict(difference) for difference in self.differences],
            "summary": self.summary,
        }


@dataclass(frozen=True)
class Ladder:
    """All rungs, from the source model upwards."""

    rungs: tuple[Rung, ...]

    @property
    def holds(self) -> bool:
        """Whether no rung differs without an explanation."""
        return not any(rung.failed for rung in self.rungs)

    def to_json(self) -> list[dict[str, Any]]:
        return [rung.to_json() for rung in self.rungs]


def not_run(name: str, against: str, why: str) -> Rung:
    return Rung(name, against, Outcome.NOT_RUN, note=why)
