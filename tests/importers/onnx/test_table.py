"""Every handler has a case somewhere that holds it against onnxruntime, and tells its rule."""

from __future__ import annotations

import pytest

from tests.importers.onnx import (
    test_functions,
    test_moves,
    test_ops,
    test_opsets,
    test_reductions,
)
from tinyflow.importers.onnx.table import HANDLERS
from tinyflow.report.supported_operators import rule

FUNCTIONS = {**test_functions.FUNCTIONS, **test_functions.DOMAINS}
TABLES = (
    test_ops.OTHERS,
    test_opsets.OLD_FORMS,
    test_moves.MOVES,
    test_reductions.ALL,
    FUNCTIONS,
)
"""Their cases begin with the name of an operation."""

OF_THEIR_OWN = {"AveragePool", "Conv", "ConvTranspose", "MaxPool", "Resize", "Split"} | {
    "CumProd",
    "DequantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "RMSNormalization",
    "Swish",
}


def test_every_handler_is_tested() -> None:
    tested = {case.split()[0] for table in TABLES for case in table}
    assert tested | OF_THEIR_OWN == set(HANDLERS)


@pytest.mark.parametrize("op", HANDLERS)
def test_every_handler_tells_its_rule(op: str) -> None:
    assert rule(HANDLERS[op]).endswith(".")
