"""Functions of one element that become a FUNCTION, against onnxruntime or the standard's words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_models import assert_import_is_exact, imported, one_op, ops, run_graph
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Op

SHAPE = (1, 3, 5, 4)


@pytest.mark.parametrize(
    "op", ["Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Sign", "Floor", "Ceil", "Round"]
)
def test_elementary_functions(op: str, tmp_path: Path) -> None:
    graph = assert_import_is_exact(one_op(op, {"x": SHAPE}), tmp_path)
    assert ops(graph) == [Op.FUNCTION]


@pytest.mark.parametrize(
    ("op", "domain", "function"),
    [
        ("Asin", (-1, 1), np.arcsin),
        ("Acos", (-1, 1), np.arccos),
        ("Atanh", (-0.9, 0.9), np.arctanh),
        ("Acosh", (1, 5), np.arccosh),
    ],
)
def test_functions_with_a_domain(op, domain, function, tmp_path: Path) -> None:
    graph = imported(one_op(op, {"x": (1, 101)}), tmp_path)
    x = np.linspace(*domain, 101, dtype=np.float32)[None]
    np.testing.assert_allclose(run_graph(graph, {"x": x})["y"], function(x), 1e-6, 1e-6)


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("Elu", {}),
        ("Elu", {"alpha": 0.3}),
        ("Celu", {"alpha": 2.5}),
        ("Selu", {}),
        ("Selu", {"alpha": 0.7, "gamma": 1.9}),
        ("Softplus", {}),
        ("Softsign", {}),
        ("Shrink", {"lambd": 0.8}),
        ("Shrink", {"lambd": 0.8, "bias": 0.5}),
        ("ThresholdedRelu", {"alpha": 0.7}),
    ],
)
def test_activations(op: str, attrs: dict[str, float], tmp_path: Path) -> None:
    graph = assert_import_is_exact(one_op(op, {"x": SHAPE}, **attrs), tmp_path)
    assert ops(graph) == [Op.FUNCTION]


def test_mish(tmp_path: Path) -> None:
    assert_import_is_exact(one_op("Mish", {"x": SHAPE}, opset=18), tmp_path)


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
