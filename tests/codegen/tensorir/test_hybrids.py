"""The trained reduced hybrids with TensorIR kernels: on this computer and on the emulated board,
every tensor is that of the integer reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codegen.tensorir.test_operations import check
from tests.support.bundles import write_graph_bundle
from tests.support.compiled import Job
from tests.support.paths import ROOT
from tests.support.tensorir import tensorir_job
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Plan
from tinyflow.data import input_specs
from tinyflow.ir import Graph
from tinyflow.models import example_inputs
from tinyflow.passes import run_passes
from tinyflow.quantize import QuantizeOptions, quantize_and_record
from tinyflow.verify import verify_bundle

pytest.importorskip("torch")

from benchmarks.train_hybrids import NETWORKS, load_hybrid
from tinyflow.importers.torch import import_module

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jobs() -> dict[str, Job]:
    return {name: tensorir_job(quantized(name), 2) for name in NETWORKS}


def quantized(name: str) -> Graph:
    """On few pictures: what the numbers are like does not matter here."""
    model, _ = load_hybrid(ROOT / "tests" / "data" / "hybrids" / f"{name}.pt")
    graph = run_passes(import_module(model, (example_inputs(model, 1, 0),)))
    (spec,) = input_specs(graph)
    pictures = {spec.name: spec.to_stored(example_inputs(model, 4, 1).numpy())}
    return quantize_and_record(graph, pictures, QuantizeOptions()).graph


def test_hybrids_equal_the_reference_here(jobs: dict[str, Job], tmp_path: Path) -> None:
    check(list(jobs.values()), tmp_path, ("-O0",))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_hybrid_equals_the_reference_on_the_board(
    jobs: dict[str, Job], name: str, tmp_path: Path
) -> None:
    job = jobs[name]
    assert job.choices is not None
    plan = Plan(job.choices, job.schedule)
    write_graph_bundle(tmp_path, job.graph, job.inputs, "cortex-m4", plan=plan)
    verdict = verify_bundle(read_bundle(tmp_path), "qemu")
    assert verdict.bit_exact, verdict.first_mismatch
    # Views have no tensor of their own.
    assert verdict.tensors_compared > 0.9 * len(job.graph.nodes)
