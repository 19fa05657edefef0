"""Without taps, calls of layers stand side by side, and the compiler may do more with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import write_graph_bundle
from tests.support.graphs import GraphBuilder
from tinyflow.bundle import read_bundle
from tinyflow.ir import DType, Graph, Op, QuantParams
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.quantize import attach_integers, run_reference
from tinyflow.targets.runners import get_runner

QUANT = QuantParams.per_tensor(0.5)
TO_NHWC, TO_NCHW = TransposeAttrs((0, 2, 3, 1)), TransposeAttrs((0, 3, 1, 2))


def transposes(rounds: int) -> Graph:
    """Layers that only move bytes from one half of the arena to the other."""
    builder = GraphBuilder("net")
    x = builder.input("x", (1, 16, 8, 8), DType.INT8, QUANT)
    for _ in range(rounds):
        x = builder.node(Op.TRANSPOSE, [x], TO_NHWC, quant=QUANT)
        x = builder.node(Op.TANH, [x], quant=QuantParams.per_tensor(1 / 128))
        x = builder.node(Op.QUANTIZE, [x], quant=QUANT)
        x = builder.node(Op.TRANSPOSE, [x], TO_NCHW, quant=QUANT)
        x = builder.node(Op.TRANSPOSE, [x], TO_NCHW, quant=QUANT)
        x = builder.node(Op.TRANSPOSE, [x], TO_NHWC, quant=QUANT)
    return attach_integers(builder.build(x))


@pytest.mark.parametrize("target", ["cortex-m0plus", "cortex-m4"])
def test_no_layer_is_optimized_away(target: str, tmp_path: Path) -> None:
    graph = transposes(rounds=4)
    rng = np.random.default_rng(5)
    inputs = {"x": rng.integers(-128, 128, (3, 16, 8, 8)).astype(np.int8)}
    bundle = read_bundle(write_graph_bundle(tmp_path / "net", graph, inputs, target))
    result = get_runner("qemu").run(bundle, inputs, taps=False)
    for name, expected in run_reference(graph, inputs).items():
        np.testing.assert_array_equal(result.outputs[name], expected)
