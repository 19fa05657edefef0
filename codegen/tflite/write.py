"""From a quantized graph to a .tflite file."""

from __future__ import annotations

from tinyflow.codegen.tflite.custom import custom_operator
from tinyflow.codegen.tflite.file import TfliteFile
from tinyflow.codegen.tflite.flatbuffer import operator_uses, pack, schema
from tinyflow.codegen.tflite.ops import HANDLERS
from tinyflow.codegen.tflite.writer import NoBuiltinError, Writer
from tinyflow.ir import Graph, Node


def write_tflite(graph: Graph, name: str = "model") -> TfliteFile:
    """The .tflite file that computes what the quantized ``graph`` does, bit for bit.

    Nodes become builtin operators where TFLite Micro's kernels give the same codes, and custom
    operators (`tinyflow.codegen.tflite.custom`) otherwise. Raises `MissingExtraError`.
    """
    schema()
    writer = Writer(graph)
    custom = tuple(node.name for node in graph.nodes if not _write(writer, node))
    model = writer.model(name)
    return TfliteFile(pack(model), writer.indices, operator_uses(model.operators), custom)


def _write(writer: Writer, node: Node) -> bool:
    """Whether builtin operators do."""
    if node.op in HANDLERS:
        try:
            HANDLERS[node.op](writer, node)
            return True
        except NoBuiltinError:
            pass
    _write_custom(writer, node)
    return False


def _write_custom(writer: Writer, node: Node) -> None:
    operator = custom_operator(writer.graph, node)
    inputs = [writer.index(name) for name in operator.inputs]
    inputs += [writer.add_constant(tensor) for tensor in operator.constants]
    writer.emit_custom(operator.name, inputs, [writer.result(node)], operator.options)
