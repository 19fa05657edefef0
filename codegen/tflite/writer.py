"""Collects the tensors and operators of a file while nodes are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyflow.codegen.tflite.model import Model, Operator, Options
from tinyflow.ir import DType, Graph, Node, QuantParams, Shape, Tensor


class NoBuiltinError(Exception):
    """No operators of TFLite compute this node bit for bit; the message says why."""


class Writer:
    """A file in the making. Activations of the graph come first, constants when they are read.

    A tensor that one node needs for itself is named after the node's output.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.indices: dict[str, int] = {}
        self._names = set(graph.tensors)
        self._constants: dict[tuple[Any, ...], int] = {}
        for name in (*graph.inputs, *(name for node in graph.nodes for name in node.outputs)):
            self.index(name)

    def index(self, name: str) -> int:
        """The index of a tensor of the graph."""
        if name not in self.indices:
            self.indices[name] = self._add(self.graph.tensors[name])
        return self.indices[name]

    def inner(
        self, node: Node, role: str, shape: Shape, dtype: DType, quant: QuantParams | None
    ) -> int:
        """The index of a new activation between the operators that make up one node."""
        return self._add(Tensor(self._new_name(node, role), shape, dtype, quant))

    def constant(
        self,
        node: Node,
        role: str,
        values: Any,
        dtype: type = np.int32,
        quant: QuantParams | None = None,
    ) -> int:
        """The index of a constant that is no tensor of the graph; equal ones are stored once."""
        data: np.ndarray = np.asarray(values, dtype=dtype)
        key = (data.tobytes(), data.shape, data.dtype.str, quant)
        if key not in self._constants:
            tensor = Tensor.constant(self._new_name(node, role), data, quant)
            self._constants[key] = self._add(tensor)
        return self._constants[key]

    def add_constant(self, tensor: Tensor) -> int:
        """The index of a constant of the graph, or of a new one with a name of its own."""
        if tensor.name in self.graph.tensors:
            return self.index(tensor.name)
        self._names.add(tensor.name)
        return self._add(tensor)

    def emit(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        table: str | None = None,
        **fields: Any,
    ) -> None:
        """A builtin operator, with a table of options where it has one."""
        options = Options(table, fields) if table else None
        self.operators.append(Operator(name, tuple(inputs), tuple(outputs), options))

    def emit_custom(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: bytes
    ) -> None:
        self.operators.append(Operator(name, tuple(inputs), tuple(outputs), custom=options))

    def operands(self, node: Node) -> list[int]:
        """The indices of a node's operands."""
        return [self.index(name) for name in node.inputs]

    def result(self, node: Node) -> int:
        """The index of a node's output."""
        return self.index(node.output)

    def model(self, name: str) -> Model:
        graph = self.graph
        return Model(
            name,
            tuple(self.tensors),
            tuple(self.operators),
            {n: self.index(n) for n in graph.inputs},
            {n: self.index(n) for n in graph.outputs},
        )

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _new_name(self, node: Node, role: str) -> str:
        stem = name = f"{node.output}/{role}"
        number = 1
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name)
        return name
