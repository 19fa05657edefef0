"""Does anything work at all? Runs before every other test."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tinyflow
from tests.support.graphs import GraphBuilder, random_inputs
from tinyflow.ir import Op, execute


def test_version() -> None:
    assert tinyflow.__version__


def test_a_graph_computes() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (1, 2, 2, 3))
    graph = builder.build(builder.node(Op.ADD, [x, builder.random("b", (1, 1, 1, 3))]))
    inputs = random_inputs(graph)
    (output,) = execute(graph, inputs).values()
    np.testing.assert_allclose(output, inputs["x"] + graph.tensors["b"].value, rtol=1e-6)


def test_command_line_answers() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tinyflow", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("compile", "verify", "run", "check", "report", "targets", "demo", "init"):
        assert command in answer.stdout


@pytest.mark.parametrize(
    "program", [["gcc", "--version"], ["arm-none-eabi-gcc", "--version"], ["qemu-system-arm", "-h"]]
)
def test_tool_is_there(program: list[str]) -> None:
    """scripts/setup installs these; without them most of the slow tests can only fail."""
    subprocess.run(program, capture_output=True, check=True)
