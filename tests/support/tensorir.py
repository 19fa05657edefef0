"""Quantized graphs whose kernels are all printed by TVM."""

from __future__ import annotations

import pytest

from tests.support.compiled import Job
from tests.support.random_graphs import random_inputs
from tinyflow.ir import Graph

pytest.importorskip("tvm")

from tinyflow.codegen.tvm.plan import plan_tvm  # noqa: E402


def tensorir_job(graph: Graph, samples: int = 4) -> Job:
    """The graph with TensorIR kernels, on random codes, extreme ones first."""
    plan = plan_tvm(graph)
    return Job(plan.schedule, random_inputs(graph, samples), plan.choices)
