"""Reductions, running sums, normalizations, and pools over any axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.importers.onnx.test_moves import chain, ints
from tests.support.onnx_models import (
    assert_import_is_exact,
    imported,
    one_op,
    ops,
    run_graph,
    tensor,
)
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Op

IMAGE = {"x": (1, 3, 4, 5)}


def of_powers(op: str, *axes: int, **attrs: Any) -> onnx.ModelProto:
    """Of positive numbers."""
    return chain(("Exp", ["x"], {}), (op, ["a"], {"axes": axes, **attrs}), shape=(1, 3, 4, 5))


def places(op: str, **attrs: Any) -> onnx.ModelProto:
    source = one_op(op, IMAGE, **attrs)
    source.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    return source


REDUCTIONS = {
    "ReduceL1": one_op("ReduceL1", IMAGE, axes=[1, 3], keepdims=0),
    "ReduceLogSum": of_powers("ReduceLogSum", 2),
    "ReduceLogSumExp": one_op("ReduceLogSumExp", IMAGE, axes=[-1]),
    "ReduceLogSumExp keep": one_op("ReduceLogSumExp", IMAGE, axes=[1, 2], keepdims=0),
    "ReduceMax": one_op("ReduceMax", IMAGE, axes=[1, 3], keepdims=0),
    "ReduceMax operand": one_op("ReduceMax", IMAGE, {"a": ints(2, 3)}, opset=18),
    "ReduceMax all": one_op("ReduceMax", IMAGE),
    "ReduceMin": one_op("ReduceMin", IMAGE, axes=[2]),
    "ReduceProd": one_op("ReduceProd", IMAGE, axes=[1, 3]),
    "ReduceSumSquare": one_op("ReduceSumSquare", IMAGE, axes=[1], keepdims=0),
    "ReduceL2 alone": one_op("ReduceL2", IMAGE, axes=[2, 3]),
}

CUMULATIVE = {
    "CumSum": one_op("CumSum", IMAGE, {"a": np.int64(2)}),
    "CumSum exclusive": one_op("CumSum", IMAGE, {"a": np.int64(-1)}, exclusive=1),
    "CumSum reverse": one_op("CumSum", IMAGE, {"a": np.int64(1)}, reverse=1, exclusive=1),
}

SOFTMAX = {
    "LogSoftmax": one_op("LogSoftmax", IMAGE, axis=1),
    "LogSoftmax joined": one_op("LogSoftmax", IMAGE, opset=11, axis=2),
    "Hardmax": one_op("Hardmax", IMAGE, axis=2),
    "Hardmax joined": one_op("Hardmax", IMAGE, opset=11),
}

NORMALIZATIONS = {
    "GroupNormalization": one_op(
        "GroupNormalization",
        {"x": (1, 6, 3, 4)},
        {"s": tensor(1, 6), "b": tensor(2, 6)},
        opset=21,
        num_groups=3,
    ),
    "InstanceNormalization": one_op(
        "InstanceNormalization", IMAGE, {"s": tensor(1, 3), "b": tensor(2, 3)}, epsilon=0.01
    ),
    "LRN": one_op("LRN", {"x": (1, 7, 3, 2)}, size=5, alpha=0.3, beta=0.6, bias=1.5),
    "LpNormalization 1": one_op("LpNormalization", IMAGE, axis=2, p=1),
    "MeanVarianceNormalization": one_op("MeanVarianceNormalization", IMAGE),
    "MeanVarianceNormalization channels": one_op("MeanVarianceNormalization", IMAGE, axes=[1]),
    "LayerNormalization rows": one_op("LayerNormalization", IMAGE, {"g": tensor(1, 5)}),
}

POOLS = {
    "AveragePool 3-D": one_op(
        "AveragePool", {"x": (1, 2, 4, 5, 6)}, kernel_shape=[2, 3, 2], strides=[1, 2, 2]
    ),
    "AveragePool 3-D pads": one_op(
        "AveragePool", {"x": (1, 2, 4, 5, 6)}, kernel_shape=[2, 3, 3], pads=[1, 1, 1, 0, 1, 2]
    ),
    "AveragePool dilated": one_op(
        "AveragePool", {"x": (1, 2, 7, 8)}, opset=19, kernel_shape=[2, 3], dilations=[2, 3]
    ),
    "AveragePool dilated pads": one_op(
        "AveragePool",
        {"x": (1, 2, 7, 8)},
        opset=19,
        kernel_shape=[2, 3],
        dilations=[2, 2],
        pads=[1, 2, 0, 1],
    ),
    "AveragePool dilated counts": one_op(
        "AveragePool",
        {"x": (1, 2, 7, 8)},
        opset=19,
        kernel_shape=[2, 3],
        dilations=[2, 2],
        pads=[1, 2, 0, 1],
        count_include_pad=1,
    ),
    "GlobalAveragePool 3-D": one_op("GlobalAveragePool", {"x": (1, 2, 3, 4, 5)}),
    "GlobalLpPool": one_op("GlobalLpPool", IMAGE, p=3),
    "GlobalMaxPool 3-D": one_op("GlobalMaxPool", {"x": (1, 2, 3, 4, 5)}),
    "LpPool": one_op("LpPool", {"x": (1, 2, 7, 8)}, kernel_shape=[2, 3], strides=[2, 1]),
    "LpPool order 1": one_op("LpPool", {"x": (1, 2, 9)}, kernel_shape=[4], p=1, pads=[2, 1]),
    "LpPool order 3": one_op("LpPool", {"x": (1, 2, 7, 8)}, kernel_shape=[3, 3], p=3),
    "MaxPool 3-D": one_op(
        "MaxPool", {"x": (1, 2, 4, 5, 6)}, kernel_shape=[2, 3, 2], pads=[1, 0, 1, 0, 1, 0]
    ),
    "MaxPool dilated": one_op(
        "MaxPool", {"x": (1, 2, 7, 8)}, kernel_shape=[2, 3], dilations=[2, 2], strides=[1, 2]
    ),
    "MaxPool dilated pads": one_op(
        "MaxPool", {"x": (1, 2, 6, 6)}, kernel_shape=[2, 3], dilations=[2, 2], pads=[1, 2, 1, 1]
    ),
    "MaxPool dilated ceil": one_op(
        "MaxPool",
        {"x": (1, 1, 7, 8)},
        kernel_shape=[2, 2],
        dilations=[2, 3],
        strides=[3, 3],
        ceil_mode=1,
    ),
}

PRODUCTS = {
    "Einsum": one_op("Einsum", {"a": (1, 3, 4), "b": (1, 5, 4)}, equation="bik,bjk->bji"),
    "Einsum constant": one_op(
        "Einsum", {"x": (1, 3, 4)}, {"w": tensor(1, 4, 2)}, equation="nik,ko->noi"
    ),
    "Einsum sums": one_op("Einsum", IMAGE, equation="nchw->nw"),
    "Einsum ellipsis": one_op(
        "Einsum", {"a": (1, 2, 3, 4), "b": (1, 2, 5, 4)}, equation="...ik,...jk->...ij"
    ),
    "Einsum diagonal": one_op("Einsum", {"x": (1, 4, 4)}, equation="nii->ni"),
    "Einsum implicit": one_op("Einsum", {"x": (1, 3, 4)}, {"w": tensor(1, 4)}, equation="abc,c"),
    "Einsum three": one_op(
        "Einsum", {"a": (1, 3), "b": (1, 4), "c": (1, 4, 2)}, equation="ni,nj,njk->nik"
    ),
    "Gemm activations": one_op("Gemm", {"a": (1, 3), "b": (1, 3)}, transB=1, alpha=0.5),
    "Gemm matrices": chain(
        ("Reshape", ["x", "s"], {}),
        ("Gemm", ["a", "w", "c"], {"transA": 1, "beta": 0.5}),
        ("Unsqueeze", ["b", "zero"], {}),
        shape=(1, 3, 4),
        s=ints(3, 4),
        w=tensor(1, 3, 5),
        c=tensor(2, 4, 1),
        zero=ints(0),
    ),
    "MatMul broadcast": one_op("MatMul", {"a": (1, 2, 1, 3, 4), "b": (1, 1, 5, 4, 2)}),
}

INDICES = {
    "ArgMax": places("ArgMax", axis=-1),
    "ArgMax channels": places("ArgMax", axis=1),
    "ArgMax dropped": places("ArgMax", axis=2, keepdims=0),
    "ArgMin": places("ArgMin", axis=2),
}

ALL = {**REDUCTIONS, **CUMULATIVE, **SOFTMAX, **NORMALIZATIONS, **POOLS, **PRODUCTS, **INDICES}


@pytest.mark.parametrize("case", ALL)
def test_imports_are_exact(case: str, tmp_path: Path) -> None:
    assert_import_is_exact(ALL[case], tmp_path)


@pytest.mark.parametrize("case", REDUCTIONS)
def test_reductions_move_nothing(case: str, tmp_path: Path) -> None:
    assert Op.TRANSPOSE not in ops(imported(REDUCTIONS[case], tmp_path))


def test_the_last_of_equal_elements(tmp_path: Path) -> None:
    source = places("ArgMax", axis=1, select_last_index=1)
    with pytest.raises(UnsupportedError, match="the last of equal elements"):
        imported(source, tmp_path)


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
def test_running_products(exclusive: int, reverse: int, tmp_path: Path) -> None:
    """onnxruntime has none of them."""
    axis = {"a": np.int64(1)}
    source = one_op("CumProd", {"x": (1, 7)}, axis, opset=26, exclusive=exclusive, reverse=reverse)
    graph = imported(source, tmp_path)
    x = tensor(0, 1, 7)
    ordered = x[0, ::-1] if reverse else x[0]
    wanted = np.cumprod([1.0, *ordered][: -1 if exclusive else None][0 if exclusive else 1 :])
    got = run_graph(graph, {"x": x})["y"][0]
    np.testing.assert_allclose(got[::-1] if reverse else got, wanted, 1e-6)


def test_rms_normalization(tmp_path: Path) -> None:
    """onnxruntime has none of this name."""
    scale = {"s": tensor(1, 4, 5)}
    source = one_op("RMSNormalization", IMAGE, scale, opset=23, axis=2, epsilon=0.01)
    graph = imported(source, tmp_path)
    x = tensor(0, 1, 3, 4, 5)
    wanted = x / np.sqrt((x**2).mean((2, 3), keepdims=True) + 0.01) * scale["s"]
    np.testing.assert_allclose(run_graph(graph, {"x": x})["y"], wanted, 1e-5, 1e-6)
