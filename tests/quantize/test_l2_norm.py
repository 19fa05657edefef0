"""L2_NORM equals TFLite Micro at every size of its sum, and what it cannot take is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tinyflow.errors import UnsupportedError
from tinyflow.ir import OPS, DType, Graph, Op, QuantParams
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.reference import run_reference

pytest.importorskip("tflite_micro")
from tests.support.tflite_micro import run_tflite_micro


def norm(channels: int, zero: int, epsilon: float = 1e-12, rows: int = 1) -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, rows, 1, channels), DType.INT8, QuantParams.per_tensor(0.1, zero))
    quant = OPS[Op.L2_NORM].output_params
    return attach_integers(b.build(b.node(Op.L2_NORM, [x], L2NormAttrs(epsilon), "norm", quant)))


@pytest.mark.parametrize("zero", [-128, 0, 127, 11])
@pytest.mark.parametrize("channels", [1, 2, 5, 32, 1000])
def test_equals_tflite_micro(channels, zero):
    """Rows of zeros, of one code but zero, and sums of squares of every size."""
    rng = np.random.default_rng(channels)
    rows = 64
    size = 2.0 ** rng.uniform(-2, 8, (rows, 1, 1))
    x = np.clip(np.rint(zero + rng.normal(0, size, (rows, 1, channels))), -128, 127)
    x[0], x[1], x[2] = zero, zero, -128
    x[1, 0, 0] = zero + 1 if zero < 127 else zero - 1
    inputs = {"x": x[None].astype(np.int8)}
    graph = norm(channels, zero, rows=rows)
    expected = run_tflite_micro(graph, inputs)["norm:0"]
    found = run_reference(graph, inputs)["norm:0"]
    np.testing.assert_array_equal(found, expected)
    assert set(found[0, 0].ravel()) == {0}


def test_refused():
    with pytest.raises(UnsupportedError, match="norm: the squares of its 33026 channels"):
        norm(33026, 127)
    with pytest.raises(UnsupportedError, match=r"norm: its epsilon 0\.2 is larger than its"):
        norm(4, 0, 0.2)
