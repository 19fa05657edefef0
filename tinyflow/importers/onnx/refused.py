"""Why layers without a handler are refused, in the user's words."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from tinyflow.importers.common.layer import Layer, RefusalError


@dataclass(frozen=True)
class _Family:
    """Operations that are refused for one reason; ``{}`` in it stands for the operation."""

    ops: Set[str]
    reason: str
    remedy: str = ""


_FAMILIES = (
    _Family(
        {"LSTM", "GRU", "RNN"},
        "{} is a recurrent layer, and those are not supported",
        "use convolutions over time instead",
    ),
    _Family(
        {"If", "Loop", "Scan", "SequenceMap"},
        "{} branches while the model runs, which is not supported",
        "export the model traced for one path",
    ),
    _Family(
        {"DynamicQuantizeLinear"},
        "its scale is computed while the model runs",
        "quantize activations statically, with scales from calibration",
    ),
    _Family(
        {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Xor"},
        "{} has true and false as its results, and codes stand for numbers",
        "compute with numbers: a Clip, a HardSigmoid or a Max in its place",
    ),
    _Family(
        {"IsInf", "IsNaN"},
        "{} looks for what no code stands for: infinity and NaN",
        "leave it out",
    ),
    _Family(
        {"BitCast", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"},
        "{} works on the bits of integers, and TinyFlow compiles float models",
        "keep the model in float",
    ),
    _Family(
        {"RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"},
        "{} works on text, and tensors hold numbers",
        "work on the text before the model",
    ),
    _Family(
        {"ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement"}
        | {"SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert"}
        | {"SequenceLength", "SplitToSequence"},
        "{} works on lists of tensors, whose lengths are known only while the model runs",
        "export the model with a fixed number of tensors",
    ),
    _Family(
        {"NonMaxSuppression", "NonZero", "Unique"},
        "the size of the result of {} depends on the data, and memory is planned beforehand",
        "leave it to the program that calls the model",
    ),
    _Family(
        {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"}
        | {"RandomUniformLike"},
        "the result of {} is random",
        "export the model for inference, with model.eval()",
    ),
    _Family(
        {"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"},
        "{} is a loss, which belongs to training",
        "export the model for inference, without its loss",
    ),
    _Family(
        {"AffineGrid", "DeformConv", "GridSample", "MaxRoiPool", "MaxUnpool", "RoiAlign"},
        "{} reads or writes pixels whose positions are computed while the model runs, which is not "
        "supported",
        "use Resize, Slice or Pad with constant positions",
    ),
    _Family(
        {"DFT", "STFT"},
        "{} computes with complex numbers, which is not supported",
        "transform the signal before the model",
    ),
    _Family(
        {"ImageDecoder"},
        "{} reads a compressed image",
        "give the model decoded pixels",
    ),
)

_DOMAINS = {
    "ai.onnx.ml.": _Family(
        set(),
        "{} belongs to classical machine learning, and TinyFlow compiles neural networks",
        "compute it before or after the model",
    ),
    "ai.onnx.preview.training.": _Family(
        set(), "{} belongs to training", "export the model for inference"
    ),
    "com.microsoft.": _Family(
        set(),
        "{} is an operation that an optimizer has made of several",
        "give the model as it was exported: TinyFlow simplifies it itself",
    ),
}
"""By the beginning of the operation's name, what no other family names."""

_CODES = _Family(
    {"ConvInteger", "MatMulInteger", "QGemm"},
    "{} computes with codes, and that is not supported",
    "quantize to the QDQ format, with QuantizeLinear and DequantizeLinear around float layers, or "
    "give the float model",
)

_OTHERS = _Family(set(), "{} is not supported")


def refusal(layer: Layer) -> RefusalError:
    family = _family(layer.op)
    return RefusalError(family.reason.format(layer.op), family.remedy)


def _family(op: str) -> _Family:
    for family in _FAMILIES:
        if op in family.ops:
            return family
    if _computes_with_codes(op):
        return _CODES
    for domain, family in _DOMAINS.items():
        if op.startswith(domain):
            return family
    return _OTHERS


def _computes_with_codes(op: str) -> bool:
    base = op.rsplit(".", 1)[-1]
    return (
        base.startswith("QLinear")
        or base.endswith(("QuantizeLinear", "DequantizeLinear"))
        or base in _CODES.ops
    )
