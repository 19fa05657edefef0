"""Computes layers that do not depend on the model's inputs."""

from __future__ import annotations

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.onnx.table import MOVES

# Their results differ from run to run.
_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"} | {
    "Bernoulli",
    "Multinomial",
}

# The handler of DequantizeLinear takes constants too, and remembers their scales.
_NOT_HERE = _RANDOM | {"DequantizeLinear"}


def fold(node: onnx.NodeProto, layer: Layer, builder: Builder) -> bool:
    """Adds the layer's results to the builder's constants; False if they are not constant."""
    if layer.op in _NOT_HERE or any(a.HasField("g") or a.graphs for a in node.attribute):
        return False
    if layer.op in ("Shape", "Size") and builder.knows(layer.inputs[0]):
        shape = builder.known_shape(layer.inputs[0])
        stand_in = np.broadcast_to(np.zeros(1, dtype=np.float32), shape)
        operands = {layer.inputs[0]: stand_in}
    elif all(name in builder.constants for name in layer.inputs if name):
        operands = {name: builder.constants[name] for name in layer.inputs if name}
    else:
        return False
    for name, value in zip(layer.outputs, _evaluate(node, operands, layer.opset), strict=True):
        builder.constants[name] = np.asarray(value)
        if layer.op in MOVES and layer.inputs[0] in builder.scales:
            builder.scales[name] = builder.scales[layer.inputs[0]]
    return True


def _evaluate(
    node: onnx.NodeProto, operands: dict[str, np.ndarray], opset: int
) -> list[np.ndarray]:
    def value(name: str) -> onnx.ValueInfoProto:
        return onnx.helper.make_value_info(name, onnx.TypeProto())

    graph = onnx.helper.make_graph(
        [node], "constant", [value(n) for n in operands], [value(n) for n in node.output]
    )
    opsets = [onnx.helper.make_opsetid("", opset)]
    try:
        model = onnx.helper.make_model(graph, opset_imports=opsets)
        return list(ReferenceEvaluator(model).run(None, operands))
    # The evaluator runs third-party code for each op and raises whatever that raises.
    except Exception as error:
        raise RefusalError(f"its constant result cannot be computed ({error})") from None
