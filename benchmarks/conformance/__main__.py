"""The command: see the package's docstring."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
import onnx

from benchmarks.conformance.cases import node_cases
from benchmarks.conformance.climb import climb
from benchmarks.conformance.page import PAGE, RECORD, Record, page, passing_ops
from benchmarks.conformance.verdict import Rung, Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance")
    parser.add_argument("ops", nargs="*", metavar="OP", help="only the tests of these ops")
    parser.add_argument("--write", action="store_true", help="write the page and its record")
    args = parser.parse_args(arguments)
    if args.write and args.ops:
        parser.error("--write takes all ops")
    cases = [case for case in node_cases() if not args.ops or case.op in args.ops]
    with np.errstate(all="ignore"):
        verdicts = climb(cases, _show_progress)
    _print(verdicts, in_detail=bool(args.ops))
    if args.write:
        record = Record(onnx.__version__, tuple(verdicts))
        RECORD.write_text(record.dump())
        PAGE.write_text(page(record))
    return 0


def _print(verdicts: Sequence[Verdict], in_detail: bool) -> None:
    for verdict in verdicts:
        if in_detail or verdict.rung is Rung.FAIL:
            level = "" if verdict.sqnr_db is None else f"{verdict.sqnr_db:.1f} dB"
            print(f"{verdict.rung.value:12}{verdict.case}  {verdict.reason}{level}")
    counts = Counter(verdict.rung for verdict in verdicts)
    print(", ".join(f"{counts[rung]} {rung.value}" for rung in Rung))
    ops = passing_ops(verdicts)
    print(f"{len(ops)} op types pass: {', '.join(ops)}")


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} tests", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
