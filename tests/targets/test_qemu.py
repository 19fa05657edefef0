"""Random graphs: the integer reference, the host and the emulator agree at every tap."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.bundles import write_graph_bundle
from tests.support.random_graphs import ALL_OPS, quantized_graphs, random_graph, random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import CodegenOptions
from tinyflow.ir import Graph, Op
from tinyflow.quantize import run_reference
from tinyflow.targets import list_targets
from tinyflow.targets.runners import get_runner
from tinyflow.targets.tools import call

OTHER_CORES = [t.name for t in list_targets() if t.machine and t.name != "cortex-m4"]
INPUTS = 5


def assert_equal_everywhere(graph: Graph, runs: dict[str, bool], target: str = "cortex-m4") -> None:
    """``runs`` are runners, and whether with the sanitizers."""
    inputs = random_inputs(graph, INPUTS)
    expected: dict[str, np.ndarray] = {}
    outputs = run_reference(graph, inputs, observe=expected.__setitem__)
    computed = {node.output for node in graph.nodes if node.op is not Op.RESHAPE}
    with TemporaryDirectory() as folder:
        bundle = read_bundle(write_graph_bundle(Path(folder), graph, inputs, target))
        for on, sanitize in runs.items():
            result = get_runner(on).run(bundle, inputs, taps=True, sanitize=sanitize)
            assert result.taps is not None
            assert result.taps.keys() == computed
            for name, array in result.taps.items():
                np.testing.assert_array_equal(array, expected[name], f"{on}: {name}\n{graph}")
            for name, array in outputs.items():
                np.testing.assert_array_equal(result.outputs[name], array, f"{on}: {name}\n{graph}")


@pytest.mark.slow
@pytest.mark.parametrize("op", ALL_OPS)
def test_every_operation(op: Op) -> None:
    graph = random_graph(seed=sum(op.value.encode()), ops=[op], max_nodes=3)
    assert_equal_everywhere(graph, {"host": True, "qemu": False})


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(quantized_graphs(max_nodes=8))
def test_random_graphs(graph: Graph) -> None:
    assert_equal_everywhere(graph, {"host": True, "qemu": False})


@pytest.mark.slow
@pytest.mark.parametrize("target", OTHER_CORES)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**16))
def test_other_cores(target: str, seed: int) -> None:
    graph = random_graph(seed, max_nodes=8)
    assert_equal_everywhere(graph, {"qemu": False}, target)


def test_weights_from_a_binary_file(tmp_path: Path) -> None:
    """Large weights are linked with .incbin: by TinyFlow and by CMake, wherever they are called."""
    graph = random_graph(3, ops=[Op.FULLY_CONNECTED], max_nodes=2)
    inputs = random_inputs(graph, 2)
    options = CodegenOptions(binary_weights_over=1)
    bundle = read_bundle(write_graph_bundle(tmp_path / "b", graph, inputs, options=options))
    assert list((bundle.path / "src").glob("*.bin"))
    expected = run_reference(graph, inputs)
    for on in ("host", "qemu"):
        result = get_runner(on).run(bundle, inputs)
        for name, array in expected.items():
            np.testing.assert_array_equal(result.outputs[name], array)
    if shutil.which("cmake"):
        call(["cmake", "-B", str(tmp_path / "out"), "-S", str(bundle.path)], "test", tmp_path)
        call(["cmake", "--build", str(tmp_path / "out")], "test", tmp_path)
        call([str(tmp_path / "out/net_self_test")], "the self-test", tmp_path)
