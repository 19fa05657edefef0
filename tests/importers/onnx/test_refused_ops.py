"""Operations without a handler are refused family by family, each with a reason of its own."""

from __future__ import annotations

import pytest

from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.refused import refusal
from tinyflow.importers.onnx.table import HANDLERS

REASONS = {
    "LSTM": "LSTM is a recurrent layer",
    "Loop": "Loop branches while the model runs",
    "DynamicQuantizeLinear": "its scale is computed while the model runs",
    "Greater": "Greater has true and false as its results",
    "IsNaN": "IsNaN looks for what no code stands for",
    "BitShift": "BitShift works on the bits of integers",
    "StringSplit": "StringSplit works on text",
    "SequenceAt": "SequenceAt works on lists of tensors",
    "NonZero": "the size of the result of NonZero depends on the data",
    "RandomNormal": "the result of RandomNormal is random",
    "SoftmaxCrossEntropyLoss": "SoftmaxCrossEntropyLoss is a loss",
    "GridSample": "GridSample reads or writes pixels whose positions are computed",
    "DFT": "DFT computes with complex numbers",
    "ImageDecoder": "ImageDecoder reads a compressed image",
    "com.microsoft.QGemm": "com.microsoft.QGemm computes with codes",
    "com.microsoft.QLinearAdd": "com.microsoft.QLinearAdd computes with codes",
    "com.microsoft.FusedConv": "com.microsoft.FusedConv is an operation that an optimizer has made",
    "ai.onnx.ml.TreeEnsemble": "ai.onnx.ml.TreeEnsemble belongs to classical machine learning",
    "ai.onnx.preview.training.Adam": "ai.onnx.preview.training.Adam belongs to training",
}


def refused(op: str) -> RefusalError:
    return refusal(Layer("layer", op, ("x",), ("y",), {}))


@pytest.mark.parametrize("op", REASONS)
def test_a_family_has_its_reason_and_its_remedy(op: str) -> None:
    error = refused(op)
    assert error.reason.startswith(REASONS[op])
    assert error.remedy
    assert op not in HANDLERS


def test_all_others_are_not_supported() -> None:
    assert refused("Det").reason == "Det is not supported"
    assert refused("com.example.Own").reason == "com.example.Own is not supported"
