"""Models that bring their scales along need no calibration data, and get none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.support.onnx_models import model, node, tensor
from tinyflow.errors import UsageError
from tinyflow.pipeline.quantizing import quantize
from tinyflow.pipeline.source import Source, load_calibration, read_source
from tinyflow.progress import SILENT
from tinyflow.project import CompileOptions, make_options


def rounded(x: str, y: str) -> list[onnx.NodeProto]:
    return [
        node("QuantizeLinear", [x, "s", "z"], [f"{y}_codes"]),
        node("DequantizeLinear", [f"{y}_codes", "s", "z"], [y]),
    ]


def source_of(folder: Path, complete: bool) -> tuple[Source, CompileOptions]:
    """Two matrix products; the scale between them may be missing."""
    constants = {
        "s": np.float32(0.0625),
        "z": np.int8(4),
        "w1": tensor(1, 6, 5),
        "w2": tensor(2, 5, 4),
    }
    layers = [
        *rounded("x", "a"),
        node("MatMul", ["a", "w1"], ["b"], name="first"),
        *(rounded("b", "c") if complete else [node("Identity", ["b"], ["c"])]),
        node("MatMul", ["c", "w2"], ["d"], name="second"),
        *rounded("d", "y"),
    ]
    path = folder / "net.onnx"
    onnx.save(model(layers, {"x": (1, 6)}, ["y"], constants), path)
    options = make_options({"model": str(path), "target": "cortex-m4"})
    return read_source(options, SILENT), options


def test_all_scales(tmp_path: Path) -> None:
    source, options = source_of(tmp_path, complete=True)
    assert source.is_float
    assert load_calibration(source, options, SILENT) is None
    graph = quantize(source, None, options, SILENT).graph
    params = [t.params for t in graph.tensors.values() if not t.is_constant]
    assert {(p.scale, p.zero_point) for p in params} == {(0.0625, 4)}


def test_a_scale_is_missing(tmp_path: Path) -> None:
    source, options = source_of(tmp_path, complete=False)
    with pytest.raises(UsageError, match="no scale for the results of 'first'") as caught:
        load_calibration(source, options, SILENT)
    assert "--calibration" in caught.value.hint
