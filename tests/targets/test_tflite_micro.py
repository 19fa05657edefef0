"""Projects for TensorFlow Lite Micro, built with its sources and run.

``TFLITE_MICRO_DIR`` names a checkout of tflite-micro, ``CMSIS_NN_DIR`` one of CMSIS-NN.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

import tinyflow
from tests.support.random_graphs import ALL_OPS, random_graph, random_inputs
from tests.support.tflm_bundles import write_tflm_bundle
from tinyflow.bundle import read_bundle
from tinyflow.codegen.tflite import write_tflite
from tinyflow.ir import Graph, Op
from tinyflow.ir.serialize import to_bytes
from tinyflow.quantize.reference import run_reference
from tinyflow.targets.build_tflite_micro import CMSIS_NN, DIRECTORY, LIBRARY, build_tflite_micro
from tinyflow.targets.runners import get_runner
from tinyflow.targets.tools import call
from tinyflow.verify.expected import LOWERED

SAMPLES = 3
_missing = [tool for tool in ("cmake", "g++") if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(_missing), reason=f"{', '.join(_missing)} not installed"),
    pytest.mark.skipif(
        not os.environ.get(DIRECTORY), reason=f"{DIRECTORY} names no checkout of tflite-micro"
    ),
]


def graph_of_many(custom: bool) -> Graph:
    """The first random graph with several custom operators, or with builtin ones only."""
    for seed in range(200):
        graph = random_graph(seed, ALL_OPS, 6)
        found = len(write_tflite(graph).custom)
        if len(graph.nodes) > 4 and (found >= 2 if custom else found == 0):
            return graph
    raise AssertionError("no such graph")


def assert_equals_reference(folder: Path, graph: Graph, target: str, runner: str) -> None:
    """Every tensor at its tap, and the outputs of the build without taps."""
    inputs = random_inputs(graph, SAMPLES)
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, expected.__setitem__)
    bundle = read_bundle(write_tflm_bundle(folder, graph, inputs, target))
    tapped = get_runner(runner).run(bundle, inputs, taps=True)
    assert tapped.taps is not None
    assert len(tapped.taps) == sum(node.op is not Op.RESHAPE for node in graph.nodes)
    released = get_runner(runner).run(bundle, inputs)
    for found in (tapped.taps, tapped.outputs, released.outputs):
        for name, codes in found.items():
            np.testing.assert_array_equal(codes, expected[name], err_msg=f"{name}\n{graph}")


@pytest.mark.parametrize("custom", [False, True])
def test_on_this_computer(tmp_path: Path, custom: bool) -> None:
    assert_equals_reference(tmp_path / "bundle", graph_of_many(custom), "host", "host")


def test_a_lowered_model_on_this_computer(tmp_path: Path) -> None:
    """Every tensor is that of the .tflite file in the tflite-micro package, and so are the expected
    outputs of the self-test."""
    model = tmp_path / "net.tfq"
    model.write_bytes(to_bytes(random_graph(4, (Op.LAYER_NORM, Op.GELU, Op.CONV_2D), 4)))
    bundle = tinyflow.compile(
        model, target="host", backend="tflm", tflite_builtins=True, output=tmp_path / "bundle"
    )
    assert bundle.is_lowered
    verdicts = {entry["runner"]: entry for entry in bundle.report["verify"]}
    assert verdicts["host"]["bit_exact"]
    assert verdicts["host"]["reference"] == LOWERED
    program = build_tflite_micro(bundle.path, tmp_path / "self_test", None, False, "self_test")
    call([str(program)], "the self-test", tmp_path)


def test_the_self_test_passes(tmp_path: Path) -> None:
    graph = graph_of_many(custom=True)
    bundle = write_tflm_bundle(tmp_path / "bundle", graph, random_inputs(graph, SAMPLES))
    program = build_tflite_micro(bundle, tmp_path / "self_test", None, False, "self_test")
    call([str(program)], "the self-test", tmp_path)


@pytest.mark.skipif(bool(os.environ.get(LIBRARY)), reason=f"{LIBRARY} is for this computer")
@pytest.mark.skipif(
    not all(map(shutil.which, ("arm-none-eabi-g++", "qemu-system-arm"))),
    reason="cross compiler or emulator not installed",
)
@pytest.mark.parametrize("custom", [False, True])
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55"])
def test_in_the_emulator(tmp_path: Path, target: str, custom: bool) -> None:
    """With CMSIS-NN where there is a checkout of it."""
    if target == "cortex-m55" and not os.environ.get(CMSIS_NN):
        pytest.skip(f"{CMSIS_NN} names no checkout of CMSIS-NN, whose kernels are what differs")
    assert_equals_reference(tmp_path / "bundle", graph_of_many(custom), target, "qemu")
