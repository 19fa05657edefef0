"""Why layers without a handler are refused, in the user's words."""

from __future__ import annotations

from tinyflow.importers.common.layer import Layer, RefusalError

_RECURRENT = {"LSTM", "GRU", "RNN"}
_CONTROL_FLOW = {"If", "Loop", "Scan"}


def _is_quantized_op(op: str) -> bool:
    """Whether an op computes with codes."""
    base = op.rsplit(".", 1)[-1]
    return (
        base.startswith("QLinear")
        or base.endswith(("QuantizeLinear", "DequantizeLinear"))
        or base in ("ConvInteger", "MatMulInteger", "QGemm")
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
    if layer.op == "DynamicQuantizeLinear":
        return RefusalError(
            "its scale is computed while the model runs",
            "quantize activations statically, with scales from calibration",
        )
    if _is_quantized_op(layer.op):
        return RefusalError(
            f"{layer.op} computes with codes, and that is not supported",
            "quantize to the QDQ format, with QuantizeLinear and DequantizeLinear around float "
            "layers, or give the float model",
        )
    if layer.op.startswith("com.microsoft."):
        return RefusalError(
            f"{layer.op} is an operation that an optimizer has made of several",
            "give the model as it was exported: TinyFlow simplifies it itself",
        )
    return RefusalError(f"{layer.op} is not supported")
