"""docs/conformance.md, drawn from the verdicts; and how the verdicts are kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.conformance.verdict import Rung, Verdict

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "conformance.md"
RECORD = ROOT / "tests" / "data" / "conformance.json"

_HEAD = """\
# Conformance with ONNX

<!-- Made by: python -m benchmarks.conformance --write -->

The onnx package {onnx} defines {tests} node tests: a model of one op, its inputs, and the outputs
that the standard demands. Here each one goes the way of any model: through the importer, whose
float graph must give these outputs, before and after all passes; through quantization, after which
the integer reference must be near the float graph; and into C, which must equal the integer
reference in every bit. Only a test that gets through all of this passes: **{ops} op types** do so
with at least one of their tests, and no test of theirs fails. Layers that are computed while
importing, since none of their operands depends on the model's inputs, prove nothing and do not
count. Neither do the tests that write an op as the simpler ones by which the standard defines it:
they are in the table below, with all others.

- *pass*: all the way, to C that equals the integer reference.
- *float only*: the float graph is right, and there is no integer form; the sentence says why.
- *unsupported*: the importer refuses the model with this sentence.
- *fail*: a wrong result, or an error that is no sentence.

TinyFlow compiles models with a batch of 1, so an operand without one gets it, and a Reshape takes
it off again, or a test of several images is run on one after the other. Operands that are not float
are constants of the model, and so are weights, and trailing float operands such as divisors where a
test comes no further with all of them computed. *SQNR* is that of the int8 output of the worst
passing test, against the float graph on the same codes; *exact* where no output differs.
"""


@dataclass(frozen=True)
class Record:
    """The verdicts on all tests of one version of onnx."""

    onnx: str
    verdicts: tuple[Verdict, ...]

    @classmethod
    def load(cls, path: Path = RECORD) -> Record:
        data = json.loads(path.read_text())
        verdicts = [
            Verdict(name, op, expanded, Rung(rung), reason, sqnr)
            for name, (op, expanded, rung, reason, sqnr) in data["tests"].items()
        ]
        return cls(data["onnx"], tuple(verdicts))

    def dump(self) -> str:
        lines = [
            f"  {json.dumps(v.case)}: "
            + json.dumps([v.op, v.expanded, v.rung.value, v.reason, v.sqnr_db])
            for v in self.verdicts
        ]
        tests = ",\n".join(lines)
        return f'{{"onnx": {json.dumps(self.onnx)},\n "tests": {{\n{tests}\n}}}}\n'


def passing_ops(verdicts: Iterable[Verdict]) -> list[str]:
    """The op types of which at least one test passes, in no other op's words, and none fails."""
    verdicts = list(verdicts)
    passed = {v.op for v in verdicts if v.rung is Rung.PASS and not v.expanded}
    failed = {v.op for v in verdicts if v.rung is Rung.FAIL}
    return sorted(passed - failed)


def page(record: Record) -> str:
    """The whole page in Markdown."""
    verdicts = record.verdicts
    head = _HEAD.format(onnx=record.onnx, tests=len(verdicts), ops=len(passing_ops(verdicts)))
    return "\n".join(
        [
            head,
            "## Op by op\n",
            _table(
                ("op", "tests", *(rung.value for rung in Rung), "SQNR"),
                [_row(op, part) for op, part in _grouped(verdicts)],
            ),
            "## What does not pass, and why\n",
            _table(("op", "tests", "verdict", "sentence"), list(_reasons(verdicts))),
        ]
    )


def _grouped(verdicts: Sequence[Verdict]) -> list[tuple[str, list[Verdict]]]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.op, []).append(verdict)
    return sorted(groups.items())


def _row(op: str, verdicts: Sequence[Verdict]) -> tuple[object, ...]:
    counts = Counter(v.rung for v in verdicts)
    levels = [v.sqnr_db for v in verdicts if v.rung is Rung.PASS and v.sqnr_db is not None]
    quality = f"{min(levels):.1f} dB" if levels else "exact" if counts[Rung.PASS] else ""
    return (f"`{op}`", len(verdicts), *(counts[rung] or "" for rung in Rung), quality)


def _reasons(verdicts: Sequence[Verdict]) -> Iterable[tuple[object, ...]]:
    for op, part in _grouped(verdicts):
        groups: dict[tuple[Rung, str], list[str]] = {}
        for verdict in part:
            if verdict.rung is not Rung.PASS:
                groups.setdefault((verdict.rung, verdict.reason), []).append(verdict.case)
        for (rung, reason), cases in groups.items():
            more = f" and {len(cases) - 1} more" if len(cases) > 1 else ""
            yield (f"`{op}`", f"{cases[0]}{more}", rung.value, reason)


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [_line(head), "|" + "---|" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
