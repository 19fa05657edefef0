"""From a quantized graph to a .tflite file."""

from __future__ import annotations

from tinyflow.codegen.tflite.custom import custom_operator
from tinyflow.codegen.tflite.file import TfliteFile
from tinyflow.codegen.tflite.flatbuffer import operator_uses, pack, schema
from tinyflow.codegen.tflite.lowering import Samples, lower
from tinyflow.codegen.tflite.ops import HANDLERS
from tinyflow.codegen.tflite.writer import NoBuiltinError, Writer
from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.ir import Graph, Node


def write_tflite(graph: Graph, name: str = "model", samples: Samples | None = None) -> TfliteFile:
    """The .tflite file that computes what the quantized ``graph`` does.

    Nodes become builtin operators where TFLite Micro's kernels give the same codes. The others
    become custom operators (`tinyflow.codegen.tflite.custom`), with the same codes too. With
    ``samples``, the codes [n, ...] of every activation as the integer reference computes them,
    they are lowered to several builtin operators instead (`tinyflow.codegen.tflite.lowering`),
    which costs some accuracy.

    Raises `MissingExtraError`, or `UnsupportedError` with every node that cannot be lowered.
    """
    schema()
    writer = Writer(graph)
    others: list[str] = []
    obstacles: list[Obstacle] = []
    for node in graph.nodes:
        if _write_builtin(writer, node):
            continue
        others.append(node.name)
        try:
            if samples is None:
                _write_custom(writer, node)
            else:
                lower(writer, node, samples)
        except NoBuiltinError as error:
            obstacles.append(Obstacle(node.name, str(error), "write it without --tflite-builtins"))
    if obstacles:
        raise UnsupportedError(obstacles)
    model = writer.model(name)
    return TfliteFile(
        data=pack(model),
        indices=writer.indices,
        operators=operator_uses(model.operators),
        custom_nodes=tuple(others) if samples is None else (),
        lowered_nodes=() if samples is None else tuple(others),
    )


def _write_builtin(writer: Writer, node: Node) -> bool:
    """Whether builtin operators compute the node bit for bit; then they are written."""
    handler = HANDLERS.get(node.op)
    if handler is None:
        return False
    try:
        handler(writer, node)
    except NoBuiltinError:
        return False
    return True


def _write_custom(writer: Writer, node: Node) -> None:
    operator = custom_operator(writer.graph, node)
    inputs = [writer.index(name) for name in operator.inputs]
    inputs += [writer.add_constant(tensor) for tensor in operator.constants]
    writer.emit_custom(operator.name, inputs, [writer.result(node)], operator.options)
