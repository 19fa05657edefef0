"""Why layers without a handler are refused, in the user's words."""

from __future__ import annotations

from tinyflow.importers.common.layer import Layer, RefusalError

_RECURRENT = {"LSTM", "GRU", "RNN"}
_CONTROL_FLOW = {"If", "Loop", "Scan"}


def is_quantized_op(op: str) -> bool:
    """Whether an op belongs to a model that is quantized already."""
    base = op.rsplit(".", 1)[-1]
    return (
        base.startswith("QLinear")
        or base.endswith(("QuantizeLinear", "DequantizeLinear"))
        or base in ("ConvInteger", "MatMulInteger")
    )


def refusal(layer: Layer) -> RefusalError:
    if layer.op in _RECURRENT:
        return RefusalError(
            f"{layer.op} is a recurrent layer, and those are not supported",
            "use convolutions over time instead",
        )
    if layer.op in _CONTROL_FLOW:
        return RefusalError(
            f"{layer.op} branches while the model runs, which is not supported",
            "export the model traced for one path",
        )
    if is_quantized_op(layer.op):
        return RefusalError(f"{layer.op} belongs to a model that is quantized already")
    if layer.op.startswith("com.microsoft."):
        return RefusalError(
            f"{layer.op} is an operation that an optimizer has made of several",
            "give the model as it was exported: TinyFlow simplifies it itself",
        )
    return RefusalError(f"{layer.op} is not supported")
