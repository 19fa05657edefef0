"""Layers that only move, repeat or pick elements, or add constant ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_models import (
    assert_import_is_exact,
    imported,
    model,
    node,
    one_op,
    tensor,
)
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Op
from tinyflow.passes import run_passes

IMAGE = {"x": (1, 3, 4, 5)}


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def chain(
    *layers: tuple[str, list[str], dict[str, Any]], shape: tuple[int, ...], **constants: np.ndarray
) -> onnx.ModelProto:
    """Layers whose outputs are a, b, c, ...; the last one's is y."""
    names = [*"abcdef"[: len(layers) - 1], "y"]
    nodes = [
        node(op, inputs, [name], **attrs)
        for (op, inputs, attrs), name in zip(layers, names, strict=True)
    ]
    return model(nodes, {"x": shape}, ["y"], constants)


def pad(mode: str, *amounts: int, opset: int = 19) -> onnx.ModelProto:
    return one_op("Pad", IMAGE, {"p": ints(*amounts)}, opset=opset, mode=mode)


MOVES = {
    "CenterCropPad": one_op("CenterCropPad", IMAGE, {"s": ints(1, 5, 3, 5)}, opset=18),
    "CenterCropPad axes": one_op(
        "CenterCropPad", IMAGE, {"s": ints(7, 2)}, opset=18, axes=[-1, -2]
    ),
    "Compress": one_op("Compress", IMAGE, {"c": np.array([1, 0, 0, 1, 1], bool)}, axis=3),
    "Compress row": chain(
        ("Compress", ["x", "c"], {}),
        ("Unsqueeze", ["a", "zero"], {}),
        shape=(1, 2, 3),
        c=np.array([0, 1, 1, 0, 1], bool),
        zero=ints(0),
    ),
    "DepthToSpace": one_op("DepthToSpace", {"x": (1, 18, 2, 3)}, blocksize=3),
    "DepthToSpace CRD": one_op("DepthToSpace", {"x": (1, 18, 2, 3)}, blocksize=3, mode="CRD"),
    "Expand": one_op("Expand", {"x": (1, 3, 1)}, {"s": ints(1, 3, 4)}),
    "Expand new axes": one_op("Expand", {"x": (1, 3)}, {"s": ints(1, 2, 4, 3)}),
    "Gather": one_op("Gather", IMAGE, {"i": ints(4, 0, 1, 2, -2, 0)}, axis=3),
    "Gather twice": one_op("Gather", IMAGE, {"i": ints(2, 2)}, axis=1),
    "GatherElements": one_op(
        "GatherElements", {"x": (1, 3, 4)}, {"i": ints(2, 0, -1, 1, 1, 0).reshape(1, 2, 3)}, axis=1
    ),
    "GatherND": one_op("GatherND", {"x": (1, 3, 4)}, {"i": ints(0, 2, 0, -3).reshape(1, 2, 2)}),
    "GatherND batch": one_op(
        "GatherND", {"x": (1, 3, 4)}, {"i": ints(2, 0, 1).reshape(1, 3, 1)}, batch_dims=1
    ),
    "Pad edge": pad("edge", 0, 1, 2, 3, 0, 0, 1, 2),
    "Pad reflect": pad("reflect", 0, 0, 2, 3, 0, 1, 3, 0),
    "Pad reflect cut": pad("reflect", 0, 0, -1, 3, 0, 0, 2, -1),
    "Pad wrap": pad("wrap", 0, 0, 2, 3, 0, 0, 1, 2),
    "ReverseSequence": one_op(
        "ReverseSequence", {"x": (1, 6, 2)}, {"n": ints(4)}, batch_axis=0, time_axis=1
    ),
    "Scatter": one_op(
        "Scatter", {"x": (1, 5)}, {"i": ints(1, 3)[None], "u": floats(7, 8)[None]}, opset=10, axis=1
    ),
    "ScatterElements": one_op(
        "ScatterElements",
        {"x": (1, 5), "u": (1, 3)},
        {"i": ints(4, -4, 0)[None]},
        ["x", "i", "u"],
        axis=1,
    ),
    "ScatterND": one_op(
        "ScatterND",
        {"x": (1, 4, 3), "u": (1, 2, 3)},
        {"i": ints(0, 2, 0, 0).reshape(1, 2, 2)},
        ["x", "i", "u"],
    ),
    "Slice backward": one_op(
        "Slice", IMAGE, {"s": ints(-1, 3), "e": ints(-9, 0), "a": ints(3, 2), "t": ints(-2, -1)}
    ),
    "SpaceToDepth": one_op("SpaceToDepth", {"x": (1, 2, 6, 9)}, blocksize=3),
    "Tile": one_op("Tile", {"x": (1, 2, 3)}, {"r": ints(1, 3, 2)}),
    "Tile axis of 1": one_op("Tile", {"x": (1, 1, 3, 2)}, {"r": ints(1, 4, 1, 1)}),
    "Trilu": one_op("Trilu", {"x": (1, 4, 5)}),
    "Trilu lower": one_op("Trilu", {"x": (1, 4, 5)}, {"k": np.int64(-1)}, upper=0),
    "Where": one_op(
        "Where", {"x": (1, 4, 5)}, {"c": tensor(0, 4, 5) > 0, "z": floats(2.5)}, ["c", "x", "z"]
    ),
    "Where activations": one_op(
        "Where", dict.fromkeys("xz", (1, 4, 5)), {"c": tensor(0, 4, 1) > 0}, ["c", "x", "z"]
    ),
    "Where zero": one_op(
        "Where", {"x": (1, 4, 5)}, {"c": tensor(0, 4, 5) > 0, "z": floats(0)}, ["c", "z", "x"]
    ),
    "Where always": one_op(
        "Where", {"x": (1, 4, 1)}, {"c": np.ones((4, 3), bool), "z": floats(2)}, ["c", "x", "z"]
    ),
}


@pytest.mark.parametrize("case", MOVES)
def test_moves(case: str, tmp_path: Path) -> None:
    graph = assert_import_is_exact(MOVES[case], tmp_path)
    if len(MOVES[case].graph.node) == 1:
        assert all(set(n.sources) <= {"layer", "y"} for n in graph.nodes)


@pytest.mark.parametrize("case", ["DepthToSpace", "DepthToSpace CRD", "SpaceToDepth", "Tile"])
def test_kernels_see_four_axes(case: str, tmp_path: Path) -> None:
    graph = run_passes(imported(MOVES[case], tmp_path))
    assert max(len(graph.result(n).shape) for n in graph.nodes) <= 4


def test_a_repeated_tensor_is_stored_once(tmp_path: Path) -> None:
    graph = run_passes(imported(MOVES["Tile axis of 1"], tmp_path))
    assert [n.op for n in graph.nodes if n.op is not Op.RESHAPE] == [Op.RESIZE_NEAREST]


REFUSED = {
    "a long shuffle": (
        one_op("Gather", {"x": (1, 200)}, {"i": np.arange(200)[::-1].copy()}, axis=1),
        "200 slices, and no more than 64",
    ),
    "a sum": (
        one_op(
            "ScatterElements",
            {"x": (1, 5)},
            {"i": ints(1)[None], "u": floats(7)[None]},
            opset=16,
            axis=1,
            reduction="add",
        ),
        "combines elements by 'add'",
    ),
    "twice": (
        one_op(
            "ScatterElements",
            {"x": (1, 5)},
            {"i": ints(1, 1)[None], "u": floats(7, 8)[None]},
            axis=1,
        ),
        "writes a place twice",
    ),
    "infinity": (
        one_op(
            "Where",
            {"x": (1, 4)},
            {"c": floats(1, 0, 1, 1) > 0, "z": floats(-np.inf)},
            ["c", "x", "z"],
        ),
        "numbers that are not finite",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    source, reason = REFUSED[case]
    with pytest.raises(UnsupportedError, match=reason):
        imported(source, tmp_path)
