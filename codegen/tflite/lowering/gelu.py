"""GELU as ``x * logistic(1.702 x)`` (Hendrycks and Gimpel, 2016), in 8 bits."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.tflite.clamps import Activation
from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import OPS, DType, Node, Op, QuantParams

FACTOR = 1.702
_CODE = 127


def lower_gelu(writer: Writer, node: Node) -> None:
    """The product with the factor keeps its codes: only their scale changes."""
    x = writer.graph.operands(node)[0]
    params, squashed = x.params, OPS[Op.SIGMOID].output_params
    source, none = writer.index(x.name), int(Activation.NONE)
    factor_params = QuantParams.per_tensor(FACTOR / _CODE)
    factor = writer.constant(node, "factor", [_CODE], np.int8, factor_params)
    steep_params = QuantParams.per_tensor(FACTOR * params.scale, params.zero_point)
    steep = writer.inner(node, "steep", x.shape, DType.INT8, steep_params)
    writer.emit("MUL", [source, factor], [steep], "MulOptions", fusedActivationFunction=none)
    gate = writer.inner(node, "gate", x.shape, DType.INT8, squashed)
    writer.emit("LOGISTIC", [steep], [gate])
    inputs, outputs = [source, gate], [writer.result(node)]
    writer.emit("MUL", inputs, outputs, "MulOptions", fusedActivationFunction=none)
