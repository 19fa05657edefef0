"""Functions of one element as tables: rounding, infinities, and codes beyond their domain."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Attrs, DType, Op, QuantParams
from tinyflow.ir.ops.function import Elementary, FunctionAttrs, FunctionStep, Value
from tinyflow.ir.ops.gelu import GeluAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.quantize.attach import attach_integers

Q = QuantParams.per_tensor


def table(op: Op, attrs: Attrs | None, x: QuantParams, y: QuantParams) -> np.ndarray:
    """The result for each code, lowest first."""
    b = GraphBuilder()
    b.node(op, [b.input("x", (1, 4), DType.INT8, x)], attrs, "f", y)
    (node,) = attach_integers(b.build("f:0")).nodes
    return node.integer.table.astype(int)


def test_gelu_of_every_code():
    found = table(Op.GELU, GeluAttrs(), Q(0.05, -20), Q(0.025, -100))
    for code in range(-128, 128):
        x = np.float64(np.float32(0.05)) * (code + 20)
        y = x * (1 + math.erf(x / math.sqrt(2))) / 2
        expected = math.floor(y / np.float64(np.float32(0.025)) + 0.5) - 100
        assert found[code + 128] == min(expected, 127)


def test_ties_go_away_from_zero():
    found = table(Op.ABS, None, Q(0.5, 0), Q(1.0, 0))
    assert list(found[128 : 128 + 5]) == [0, 1, 1, 2, 2]
    assert found[0] == 64


def test_logarithm_saturates_at_zero_and_has_the_same_code_below():
    found = table(Op.LOG, None, Q(0.1, 0), Q(0.05, 10))
    assert set(found[:129]) == {-128}
    assert found[128 + 10] == 10
    assert found[128 + 11] == 10 + round(math.log(1.1) / 0.05)


def test_root_of_negative_codes_is_that_of_zero():
    found = table(Op.POWER, PowerAttrs(0.5), Q(1.0, 0), Q(0.25, -7))
    assert set(found[:129]) == {-7}
    assert found[128 + 9] == -7 + 12


def test_inverse_saturates_where_it_is_infinite():
    found = table(Op.POWER, PowerAttrs(-1.0), Q(1.0, 0), Q(0.01, 0))
    assert list(found[126:131]) == [-50, -100, 127, 100, 50]


def test_function_without_any_value_is_refused():
    attrs = FunctionAttrs(
        (
            FunctionStep(Elementary.ABS, (Value(0),)),
            FunctionStep(Elementary.SUB, (Value(constant=-1.0), Value(1))),
            FunctionStep(Elementary.LOG, (Value(2),)),
        )
    )
    with pytest.raises(UnsupportedError, match="f: its function has no value for any input code"):
        table(Op.FUNCTION, attrs, Q(0.1), Q(0.1))


def test_division_is_refused_with_a_sentence():
    b = GraphBuilder()
    x, y = (b.input(name, (1, 4), DType.INT8, Q(0.1)) for name in ("x", "y"))
    graph = b.build(b.node(Op.DIV, [x, y], None, "ratio", Q(0.1)))
    with pytest.raises(UnsupportedError, match="ratio: two computed tensors are divided"):
        attach_integers(graph)
