"""The networks pass through PyTorch's exporters, none of which may change what they compute."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from tests.support.seed_models import REDUCED, reduced_model
from tinyflow.models import build_model, example_inputs, randomize

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from torch.utils import _pytree  # noqa: E402


def run_onnx(model: Any, x: Any, **options: Any) -> tuple[np.ndarray, ...]:
    import onnxruntime

    file = io.BytesIO()
    torch.onnx.export(model, (x,), file, verbose=False, **options)
    session = onnxruntime.InferenceSession(file.getvalue())
    return tuple(session.run(None, {session.get_inputs()[0].name: x.numpy()}))


def outputs(model: Any, x: Any) -> tuple[np.ndarray, ...]:
    with torch.no_grad():
        return tuple(value.numpy() for value in _pytree.tree_leaves(model(x)))


def assert_close(
    actual: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...], relative: float = 1e-5
) -> None:
    for one, other in zip(actual, expected, strict=True):
        assert np.abs(one - other).max() < relative * np.abs(other).max()


@pytest.mark.parametrize("family", REDUCED)
def test_exported_program(family: str) -> None:
    model = reduced_model(family)
    x = example_inputs(model, 1, seed=5)
    program = torch.export.export(model, (x,))
    assert_close(outputs(program.module(), x), outputs(model, x))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", REDUCED)
def test_legacy_onnx(family: str) -> None:
    model = reduced_model(family)
    x = example_inputs(model, 1, seed=5)
    assert_close(run_onnx(model, x, dynamo=False, opset_version=17), outputs(model, x))


@pytest.mark.slow
def test_onnx_by_way_of_an_exported_program() -> None:
    model = reduced_model("edgenext")
    x = example_inputs(model, 1, seed=5)
    assert_close(run_onnx(model, x, dynamo=True), outputs(model, x))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["tinynext_s_ssdlite", "tinynext_s_deeplabv3"])
def test_heads(name: str) -> None:
    model = randomize(build_model(name, 5, 128), seed=1)
    x = example_inputs(model, 1, seed=5)
    # Norms of maps of one pixel, whose statistics come from four pictures, enlarge rounding.
    assert_close(run_onnx(model, x, dynamo=False), outputs(model, x), relative=1e-3)


def test_places_are_a_constant() -> None:
    """What the positional encoding computes depends on parameters alone."""
    model = reduced_model("edgenext")
    program = torch.export.export(model, (example_inputs(model, 1),))
    (projection,) = [
        node
        for node in program.graph.nodes
        if node.op == "call_function"
        and len(node.args) > 1
        and "token_projection_weight" in str(node.args[1])
    ]
    assert projection.args[0].op == "placeholder"
    assert projection.args[0].target == "b_stages_1_1_pos_embd_features"
