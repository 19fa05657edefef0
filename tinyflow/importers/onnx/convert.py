"""Walks the layers of a model and lets each one's handler translate it."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from tinyflow.errors import ModelError, Obstacle, UnsupportedError
from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.finish import finish
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.quantization import hand_on_codes
from tinyflow.importers.onnx.fold_constants import fold
from tinyflow.importers.onnx.input_shapes import graph_inputs, input_shape
from tinyflow.importers.onnx.layer import layer_of
from tinyflow.importers.onnx.refused import refusal
from tinyflow.importers.onnx.table import HANDLERS, MOVES, READS_CODES
from tinyflow.ir import Graph, Shape


def convert(model: onnx.ModelProto, name: str) -> Graph:
    """The graph of a checked model whose input shapes are fixed."""
    nodes = _needed_nodes(model.graph)
    opset = max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    layers = [layer_of(node, opset) for node in nodes]
    builder = Builder(_initializers(model.graph), layers)
    for value in graph_inputs(model):
        builder.add_input(value.name, input_shape(value))
    inferred = _inferred_shapes(model)
    obstacles: list[Obstacle] = []
    for node, layer in zip(nodes, layers, strict=True):
        try:
            if not fold(node, layer, builder):
                _translate(layer, builder)
        except RefusalError as error:
            obstacles.append(Obstacle(layer.name, error.reason, error.remedy))
            for output in layer.outputs:
                if output in inferred and not builder.knows(output):
                    builder.placeholder(output, inferred[output])
    if obstacles:
        raise UnsupportedError(obstacles)
    return finish(builder, name, [value.name for value in model.graph.output], "the ONNX importer")


def _translate(layer: Layer, builder: Builder) -> None:
    handler = HANDLERS.get(layer.op)
    if handler is None:
        raise refusal(layer)
    if not all(builder.knows(i) for i in layer.inputs if i):
        # A layer above was refused and nobody knows the shape of what it hands down.
        return
    hand_on_codes(layer, builder, layer.op in MOVES, layer.op in READS_CODES)
    results = handler(layer, builder)
    for output, tensor in zip(layer.outputs, results, strict=False):
        if output:
            builder.bind(output, tensor)


def _needed_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that an output depends on."""
    wanted = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _initializers(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    arrays = {}
    for tensor in graph.initializer:
        try:
            arrays[tensor.name] = numpy_helper.to_array(tensor)
        # Whatever onnx finds wrong with the bytes of a tensor.
        except Exception as error:
            raise ModelError(f"the weight '{tensor.name}' cannot be read ({error})") from None
    return arrays


def _inferred_shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    try:
        model = shape_inference.infer_shapes(model, data_prop=True)
    # The shapes only serve to go on behind layers that were refused.
    except Exception:
        return {}
    shapes = {}
    for value in (*model.graph.value_info, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims and all(d.dim_value > 0 for d in dims):
            shapes[value.name] = tuple(int(d.dim_value) for d in dims)
    return shapes
