"""The activation that TFLite fuses into an operator, as a clamp."""

from __future__ import annotations

from tinyflow.importers.tflite.layer_error import LayerError
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Clamp

RELU_N1_TO_1 = Clamp(-1.0, 1.0)

# ActivationFunctionType of the file format.
_CLAMPS = {0: NO_CLAMP, 1: RELU, 2: RELU_N1_TO_1, 3: RELU6}
_OTHERS = {4: "TANH", 5: "SIGN_BIT"}


def fused_clamp(function: int) -> Clamp:
    """Raises `LayerError` for a fused activation that is no clamp."""
    if function not in _CLAMPS:
        name = _OTHERS.get(function, str(function))
        raise LayerError(f"its fused activation {name} is not supported")
    return _CLAMPS[function]
