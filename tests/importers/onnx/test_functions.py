"""Functions of one element that become a FUNCTION, against onnxruntime or the standard's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_models import assert_import_is_exact, imported, one_op, ops, run_graph
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Op

SHAPE = (1, 3, 5, 4)


def function(op: str, opset: int = 17, **attrs: Any) -> onnx.ModelProto:
    return one_op(op, {"x": SHAPE}, opset=opset, **attrs)


FUNCTIONS = {
    "Asinh": function("Asinh"),
    "Atan": function("Atan"),
    "Ceil": function("Ceil"),
    "Celu": function("Celu", alpha=2.5),
    "Cos": function("Cos"),
    "Cosh": function("Cosh"),
    "Elu": function("Elu"),
    "Elu alpha": function("Elu", alpha=0.3),
    "Floor": function("Floor"),
    "Mish": function("Mish", opset=18),
    "Round": function("Round"),
    "Selu": function("Selu"),
    "Selu alpha": function("Selu", alpha=0.7, gamma=1.9),
    "Shrink": function("Shrink", lambd=0.8),
    "Shrink soft": function("Shrink", lambd=0.8, bias=0.5),
    "Sign": function("Sign"),
    "Sin": function("Sin"),
    "Sinh": function("Sinh"),
    "Softplus": function("Softplus"),
    "Softsign": function("Softsign"),
    "Tan": function("Tan"),
    "ThresholdedRelu": function("ThresholdedRelu", alpha=0.7),
}

DOMAINS: dict[str, tuple[tuple[float, float], Callable[[np.ndarray], np.ndarray]]] = {
    "Acos": ((-1, 1), np.arccos),
    "Acosh": ((1, 5), np.arccosh),
    "Asin": ((-1, 1), np.arcsin),
    "Atanh": ((-0.9, 0.9), np.arctanh),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions(case: str, tmp_path: Path) -> None:
    assert ops(assert_import_is_exact(FUNCTIONS[case], tmp_path)) == [Op.FUNCTION]


@pytest.mark.parametrize("op", DOMAINS)
def test_functions_with_a_domain(op: str, tmp_path: Path) -> None:
    ends, compute = DOMAINS[op]
    graph = imported(one_op(op, {"x": (1, 101)}), tmp_path)
    x = np.linspace(*ends, 101, dtype=np.float32)[None]
    np.testing.assert_allclose(run_graph(graph, {"x": x})["y"], compute(x), 1e-6, 1e-6)


def test_swish(tmp_path: Path) -> None:
    graph = imported(one_op("Swish", {"x": (1, 9)}, opset=24, alpha=1.5), tmp_path)
    x = np.linspace(-200, 200, 9, dtype=np.float32)[None]
    wanted = np.array([[0, 0, 0, 0, 0, 50, 100, 150, 200]])
    np.testing.assert_allclose(run_graph(graph, {"x": x})["y"], wanted, atol=1e-6)


def test_softplus_of_large_numbers_is_finite(tmp_path: Path) -> None:
    graph = imported(one_op("Softplus", {"x": (1, 2)}), tmp_path)
    x = np.array([[-1000, 1000]], dtype=np.float32)
    assert run_graph(graph, {"x": x})["y"].tolist() == [[0, 1000]]


def test_celu_without_a_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="layer: Celu needs an alpha above 0"):
        imported(one_op("Celu", {"x": SHAPE}, alpha=0.0), tmp_path)
