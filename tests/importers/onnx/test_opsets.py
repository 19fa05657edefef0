"""Operator sets: all that are read, and layers that older ones state in another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_models import assert_import_is_exact, imported, one_op
from tinyflow.errors import ModelError

IMAGE = {"x": (1, 3, 4, 5)}


def upsample(opset: int, **attrs: Any) -> onnx.ModelProto:
    scales = (1.0, 1.0, 2.0, 3.0)
    if opset < 9:
        return one_op("Upsample", IMAGE, opset=opset, scales=scales, **attrs)
    return one_op("Upsample", IMAGE, {"s": np.array(scales, np.float32)}, opset=opset, **attrs)


OLD_FORMS = {
    "Clip": one_op("Clip", IMAGE, opset=10, min=-0.5, max=1.0),
    "Clip one limit": one_op("Clip", IMAGE, opset=7, max=0.5),
    "Pad": one_op("Pad", IMAGE, opset=10, pads=[0, 0, 1, 2, 0, 1, 0, 3], value=1.5),
    "Slice": one_op("Slice", IMAGE, opset=9, starts=[1, 0], ends=[3, -1], axes=[1, 3]),
    "Slice without axes": one_op("Slice", IMAGE, opset=7, starts=[0, 1], ends=[1, 9]),
    "Squeeze": one_op("Squeeze", {"x": (1, 3, 1, 5)}, opset=11, axes=[2]),
    "Unsqueeze": one_op("Unsqueeze", {"x": (1, 3, 5)}, opset=11, axes=[3]),
    "Split": one_op("Split", {"x": (1, 5)}, opset=11, axis=1, split=[5]),
    "ReduceSum": one_op("ReduceSum", IMAGE, opset=11, axes=[2, 3], keepdims=0),
    "Softmax": one_op("Softmax", {"x": (1, 3, 4)}, opset=11),
    "Softmax last axis": one_op("Softmax", {"x": (1, 3, 4)}, opset=7, axis=2),
    "Resize": one_op("Resize", IMAGE, {"s": np.array([1, 1, 2, 2], np.float32)}, opset=10),
    "Upsample 7": upsample(7),
    "Upsample 9 linear": upsample(9, mode="linear"),
}


@pytest.mark.parametrize("case", OLD_FORMS)
def test_layers_of_older_operator_sets(case: str, tmp_path: Path) -> None:
    assert_import_is_exact(OLD_FORMS[case], tmp_path)


@pytest.mark.parametrize("opset", range(7, 29))
def test_every_operator_set_that_is_read(opset: int, tmp_path: Path) -> None:
    graph = imported(one_op("Relu", {"x": (1, 3)}, opset=opset), tmp_path)
    assert graph.outputs == ("y",)


@pytest.mark.parametrize("opset", [6, 29])
def test_other_operator_sets(opset: int, tmp_path: Path) -> None:
    source = one_op("Relu", {"x": (1, 3)}, opset=opset)
    with pytest.raises(ModelError, match=f"opset {opset}; TinyFlow reads opset 7 to 28"):
        imported(source, tmp_path)
