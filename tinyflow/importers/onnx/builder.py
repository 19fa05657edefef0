"""Collects the nodes and tensors of the graph that handlers emit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from tinyflow.importers.onnx.layer import Layer, RefusalError
from tinyflow.ir import OPS, Attrs, DType, Graph, Node, Op, Shape, ShapeError, Tensor
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs

MOST_ELEMENTS = 2**31
"""Of one tensor: far beyond all targets, and still safe to compute with."""

BATCH_REMEDY = "keep the batch axis: it is the first one and has the size 1"


class Builder:
    """Maps each value of the source model to a constant or to a tensor of the graph.

    Tensors keep the axis order of the source; a handler that needs images channels-last wraps
    its node in TRANSPOSEs, which a pass removes.
    """

    def __init__(self, constants: Mapping[str, np.ndarray], layers: Sequence[Layer] = ()) -> None:
        """``constants`` by source name. Names in ``layers`` are kept free for their owners."""
        self.constants: dict[str, np.ndarray] = dict(constants)
        self._reserved_nodes = {layer.name for layer in layers}
        self._reserved_tensors = {*constants, *(o for layer in layers for o in layer.outputs)}
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []
        self._values: dict[str, str] = {}
        self._node_names: set[str] = set()

    # What handlers ask.

    def is_constant(self, layer: Layer, index: int) -> bool:
        return layer.has(index) and layer.inputs[index] in self.constants

    def constant(self, layer: Layer, index: int, what: str) -> np.ndarray:
        """The value of an operand that must not depend on the model's inputs."""
        if not layer.has(index):
            raise RefusalError(f"{layer.op} lacks its {what}")
        if not self.is_constant(layer, index):
            raise RefusalError(
                f"the {what} of {layer.op} is computed while the model runs",
                "export the model with a constant there",
            )
        return self.constants[layer.inputs[index]]

    def weight(self, layer: Layer, index: int, what: str) -> np.ndarray:
        """As `constant`, in float32."""
        return as_float32(self.constant(layer, index, what), what)

    def integers(self, layer: Layer, index: int, what: str) -> tuple[int, ...]:
        return tuple(int(v) for v in self.constant(layer, index, what).reshape(-1))

    def activation(self, layer: Layer, index: int = 0) -> str:
        """The tensor of an operand; a constant becomes a constant tensor."""
        if self.is_constant(layer, index):
            value = as_float32(self.constants[layer.inputs[index]], f"operand {index}")
            return self.add_constant(layer.inputs[index], value)
        return self._values[layer.inputs[index]]

    def shape(self, tensor: str) -> Shape:
        return self.tensors[tensor].shape

    # What handlers emit.

    def add_constant(self, stem: str, value: np.ndarray) -> str:
        """A constant of its own for each reader: layers quantize their constants differently."""
        name = stem if stem not in self.tensors else self._unique_tensor(stem)
        self.tensors[name] = Tensor.constant(name, np.array(value, dtype=np.float32))
        return name

    def emit(
        self, layer: Layer, op: Op, inputs: Sequence[str], attrs: Attrs, suffix: str = ""
    ) -> str:
        """Appends a node and returns the tensor that it computes.

        The layer's main node has no ``suffix`` and bears the layer's name; nodes around it are
        told apart by theirs.
        """
        name = f"{layer.name}/{suffix}" if suffix else layer.name
        if name in self._node_names or (suffix and name in self._reserved_nodes):
            name = _unique(name, self._node_names | self._reserved_nodes)
        stem = next((o for o in layer.outputs if o), layer.name)
        output = self._unique_tensor(f"{stem}/{suffix or op.value.lower()}")
        try:
            shape = OPS[op].infer(attrs, *(self.shape(i) for i in inputs))
        except ShapeError as error:
            raise RefusalError(str(error)) from None
        if min(shape, default=1) < 1 or math.prod(shape) > MOST_ELEMENTS:
            raise RefusalError(f"its result {list(shape)} is empty or too large for any target")
        if not shape or shape[0] != 1:
            raise RefusalError(f"its result {list(shape)} has no batch axis of 1", BATCH_REMEDY)
        self.tensors[output] = Tensor(output, shape, DType.FLOAT32)
        self.nodes.append(Node(name, op, tuple(inputs), (output,), attrs, (layer.name,)))
        self._node_names.add(name)
        return output

    def transpose(self, layer: Layer, x: str, perm: Sequence[int], suffix: str = "") -> str:
        perm = tuple(int(p) for p in perm)
        if perm == tuple(range(len(perm))):
            return x
        shape = tuple(self.shape(x)[axis] for axis in perm)
        if perm[0] != 0:
            moved = [axis for axis in perm if self.shape(x)[axis] > 1]
            if moved != sorted(moved):
                raise RefusalError("it moves the batch axis", BATCH_REMEDY)
            return self.reshape(layer, x, shape, suffix)
        return self.emit(layer, Op.TRANSPOSE, (x,), TransposeAttrs(perm), suffix)

    def reshape(self, layer: Layer, x: str, shape: Sequence[int], suffix: str = "") -> str:
        shape = tuple(int(d) for d in shape)
        if shape == self.shape(x):
            return x
        return self.emit(layer, Op.RESHAPE, (x,), ReshapeAttrs(shape), suffix)

    # What the importer itself needs.

    def add_input(self, name: str, shape: Shape) -> None:
        self.tensors[name] = Tensor(name, shape, DType.FLOAT32)
        self.inputs.append(name)
        self._values[name] = name

    def knows(self, value: str) -> bool:
        return value in self._values or value in self.constants

    def known_shape(self, value: str) -> Shape:
        """The shape of a source value that `knows` says yes to."""
        if value in self.constants:
            return self.constants[value].shape
        return self.shape(self._values[value])

    def placeholder(self, value: str, shape: Shape) -> None:
        """Stands for the result of a refused layer, so that its readers can be checked too."""
        name = self._unique_tensor(value)
        self.tensors[name] = Tensor(name, shape, DType.FLOAT32)
        self._values[value] = name

    def bind(self, value: str, tensor: str) -> None:
        """Says which tensor a source value is; a new one takes the value's name."""
        if tensor not in self._values.values():
            tensor = self._rename(tensor, value)
        self._values[value] = tensor

    def output(self, value: str, outputs: Sequence[str]) -> str:
        """The tensor of the graph output ``value``, under that name.

        Where layers that compute nothing made it an alias of an input or of another output, a
        RESHAPE to the same shape copies it.
        """
        tensor = self._values[value]
        if tensor == value:
            return tensor
        if tensor not in self.inputs and tensor not in outputs:
            renamed = self._rename(tensor, value)
            self._values = {v: renamed if t == tensor else t for v, t in self._values.items()}
            return renamed
        alias = Layer(value, "Identity", (value,), (value,), {})
        copy = self.emit(alias, Op.RESHAPE, (tensor,), ReshapeAttrs(self.shape(tensor)))
        return self._rename(copy, value)

    def build(self, name: str, outputs: Sequence[str]) -> Graph:
        used = {*self.inputs, *outputs}
        used.update(n for node in self.nodes for n in (*node.inputs, *node.outputs))
        tensors = {key: t for key, t in self.tensors.items() if key in used}
        return Graph(name, tuple(self.nodes), tensors, tuple(self.inputs), tuple(outputs))

    def _rename(self, old: str, new: str) -> str:
        self.tensors[new] = replace(self.tensors.pop(old), name=new)
        for index, node in enumerate(self.nodes):
            if old in node.inputs or old in node.outputs:
                self.nodes[index] = replace(
                    node,
                    inputs=tuple(new if i == old else i for i in node.inputs),
                    outputs=tuple(new if o == old else o for o in node.outputs),
                )
        return new

    def _unique_tensor(self, stem: str) -> str:
        return _unique(stem, self.tensors.keys() | self._reserved_tensors)


def as_float32(value: np.ndarray, what: str) -> np.ndarray:
    """A float constant of any width in float32; integers and booleans are refused."""
    if value.dtype.kind != "f" and value.dtype.name != "bfloat16":
        raise RefusalError(f"its {what} is {value.dtype.name}, not float")
    return np.asarray(value, dtype=np.float32)


def _unique(stem: str, taken: Set[str]) -> str:
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name
