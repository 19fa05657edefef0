"""Walks the nodes of an exported program and lets each one's handler translate it."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np
import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node
from torch.utils import _pytree as pytree

from tinyflow.errors import ModelError, Obstacle, UnsupportedError
from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.finish import finish
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.quantization import hand_on_codes
from tinyflow.importers.torch.fold import as_array, fold
from tinyflow.importers.torch.layers import (
    Names,
    layer_names,
    layer_of,
    result_names,
)
from tinyflow.importers.torch.refused import refusal
from tinyflow.importers.torch.table import HANDLERS, MOVES, READS_CODES
from tinyflow.ir import Graph, Shape


def convert(program: ExportedProgram, name: str) -> Graph:
    """The graph of a program without operations in place."""
    names, inputs = bind_names(program)
    nodes = _needed_nodes(program)
    computing = [node for node in nodes if node.target is not operator.getitem]
    outputs = output_values(program, names)
    used = {n for node in nodes for n in _operands(node, names)} | {v for _, v in outputs}
    titles = layer_names(computing)
    layers = {node: layer_of(node, titles[node], names, used) for node in computing}
    constants = {**_constants(program), **names.numbers}
    builder = Builder(constants, list(layers.values()))
    for key, shape in inputs.items():
        builder.add_input(key, shape)
    obstacles: list[Obstacle] = []
    for node, layer in layers.items():
        try:
            if not fold(node, builder, names):
                _translate(layer, builder)
        except RefusalError as error:
            obstacles.append(Obstacle(layer.name, error.reason, error.remedy))
            for output, shape in zip(layer.outputs, layer.shapes, strict=False):
                if output and not builder.knows(output):
                    builder.placeholder(output, shape)
    if obstacles:
        raise UnsupportedError(obstacles)
    for title, value in outputs:
        if value in builder.constants:
            builder.constants[title] = builder.constants[value]
        else:
            builder.alias(title, value)
    return finish(builder, name, [title for title, _ in outputs], "the PyTorch importer")


def bind_names(program: ExportedProgram) -> tuple[Names, dict[str, Shape]]:
    """The values of a program by name, and the shapes of the model's inputs."""
    names = Names()
    inputs = _bind_inputs(program, names)
    for node in _needed_nodes(program):
        names.of[node] = _getitem(node, names) or result_names(node)
    return names, inputs


def _translate(layer: Layer, builder: Builder) -> None:
    handler = HANDLERS.get(layer.op)
    if handler is None:
        raise refusal(layer)
    if not all(builder.knows(i) for i in layer.inputs if i):
        # A layer above was refused and nobody knows the shape of what it hands down.
        return
    hand_on_codes(layer, builder, layer.op in MOVES, layer.op in READS_CODES)
    for output, result in zip(layer.outputs, handler(layer, builder), strict=False):
        if output:
            builder.bind(output, result)


def _operands(node: Node, names: Names) -> list[str]:
    """The values that a node reads; reading a part of a tuple is no use of the rest."""
    if node.target is operator.getitem:
        return [str(names.of[node])]
    return [names.value(argument, "") for argument in node.all_input_nodes]


def _getitem(node: Node, names: Names) -> str | None:
    """The value that a part of a tuple is."""
    if node.target is not operator.getitem:
        return None
    whole, index = node.args
    assert isinstance(whole, Node) and isinstance(index, int)
    return names.of[whole][index]


def _needed_nodes(program: ExportedProgram) -> list[Node]:
    """The computing nodes that an output depends on."""
    wanted: set[Node] = set(_output_nodes(program))
    kept = []
    for node in reversed(program.graph.nodes):
        if node.op == "call_function" and node in wanted:
            kept.append(node)
            wanted.update(node.all_input_nodes)
    return kept[::-1]


def _output_nodes(program: ExportedProgram) -> list[Node]:
    """What the module returns, without what it writes into its own state."""
    (node,) = (n for n in program.graph.nodes if n.op == "output")
    specs = program.graph_signature.output_specs
    returned = node.args[0]
    assert isinstance(returned, Sequence)
    pairs = zip(returned, specs, strict=True)
    found = [value for value, spec in pairs if spec.kind is OutputKind.USER_OUTPUT]
    return [value for value in found if isinstance(value, Node)]


def output_values(program: ExportedProgram, names: Names) -> list[tuple[str, str]]:
    """(name of the output, value): 'output', or the keys of a dictionary, or numbered."""
    values = [str(names.of[node]) for node in _output_nodes(program)]
    if not values:
        raise ModelError("the program returns no tensor", "return what the model computes")
    tree = pytree.tree_unflatten(list(range(len(values))), program.call_spec.out_spec)
    taken = {str(n) for n in names.of.values() if isinstance(n, str)}
    titles = [f"output_{i}" for i in range(len(values))] if len(values) > 1 else ["output"]
    if isinstance(tree, dict) and all(isinstance(i, int) for i in tree.values()):
        for key, index in tree.items():
            titles[index] = str(key)
    return [
        (title if title not in taken else f"{title}_out", value)
        for title, value in zip(titles, values, strict=True)
    ]


def _bind_inputs(program: ExportedProgram, names: Names) -> dict[str, Shape]:
    """Names every placeholder and returns the shapes of the model's inputs."""
    shapes = {}
    specs = {spec.arg.name: spec for spec in program.graph_signature.input_specs}
    for node in program.graph.nodes:
        if node.op != "placeholder":
            continue
        spec = specs[node.name]
        names.of[node] = node.name if spec.target is None else spec.target
        if spec.kind is InputKind.USER_INPUT and "val" in node.meta:
            value = node.meta["val"]
            if isinstance(value, torch.Tensor):
                shapes[node.name] = _input_shape(node.name, value)
    if not shapes:
        raise ModelError("the program has no inputs", "export the model with its inputs")
    return shapes


def _input_shape(name: str, value: torch.Tensor) -> Shape:
    if not value.is_floating_point():
        raise ModelError(
            f"the input '{name}' is {str(value.dtype).removeprefix('torch.')}; TinyFlow compiles "
            "float models",
            "export the model without the cast, so that its input is float",
        )
    if not all(isinstance(d, int) for d in value.shape):
        raise ModelError(
            f"the input '{name}' has the dynamic shape {[str(d) for d in value.shape]}",
            "export the model without dynamic_shapes",
        )
    shape = tuple(int(d) for d in value.shape)
    if shape[:1] != (1,):
        raise ModelError(
            f"the input '{name}' has the shape {list(shape)}; TinyFlow compiles models whose "
            "first axis is a batch of 1",
            "export the model with example inputs of a batch of 1",
        )
    return shape


def _constants(program: ExportedProgram) -> dict[str, np.ndarray]:
    """Parameters, buffers and constants by their names in the module."""
    tensors = {**program.constants, **program.state_dict}
    return {k: as_array(v) for k, v in tensors.items() if isinstance(v, torch.Tensor)}
