"""The node tests that the onnx package defines, and the op that each one is about."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import onnx

_EXPANDED = re.compile(r"_expanded(_function)?(_ver\d+)?$")


_HALF_RTOL = 2.0**-9
"""Of outputs in float16, which the standard's own computation rounds step by step."""


@dataclass(frozen=True, eq=False)
class Case:
    """One test: a model, its inputs and the outputs they must give, within the tolerances.

    ``op`` is the type of the node that it tests. Where ``expanded``, that op is written as the
    simpler ones by which the standard defines it.
    """

    name: str
    op: str
    expanded: bool
    model: onnx.ModelProto
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    rtol: float
    atol: float


@lru_cache(maxsize=1)
def node_cases() -> tuple[Case, ...]:
    """All node tests, in the order of their names."""
    from onnx.backend.test.case.node import collect_testcases

    # Some test models are made with a warning about how they are made.
    logging.getLogger().setLevel(logging.ERROR)
    with np.errstate(all="ignore"):
        found = {test.name: test for test in collect_testcases(None)}
    return tuple(_cases(dict(sorted(found.items()))))


def _cases(tests: dict[str, Any]) -> Iterator[Case]:
    for name, test in tests.items():
        base = _EXPANDED.sub("", name)
        tested = tests.get(base, test).model.graph.node
        inputs, outputs = test.data_sets[0]
        graph = test.model.graph
        yield Case(
            name.removeprefix("test_"),
            tested[-1].op_type,
            base != name,
            test.model,
            _by_name(graph.input, inputs),
            _by_name(graph.output, outputs),
            max(test.rtol, _HALF_RTOL if _is_half(outputs) else 0.0),
            test.atol,
        )


def _by_name(values: Sequence[onnx.ValueInfoProto], data: Sequence[Any]) -> dict[str, Any]:
    """NumPy's scalars become arrays."""
    return {
        value.name: np.asarray(x) if isinstance(x, np.generic) else x
        for value, x in zip(values, data, strict=False)
    }


def _is_half(outputs: Sequence[Any]) -> bool:
    return any(isinstance(x, np.ndarray) and x.dtype == np.float16 for x in outputs)
