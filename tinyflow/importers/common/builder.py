"""Collects the nodes and tensors of the graph that handlers emit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.importers.common.given_scales import with_scale
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.ir import (
    OPS,
    Attrs,
    DType,
    Graph,
    Node,
    Op,
    QuantParams,
    Shape,
    ShapeError,
    Tensor,
)
from tinyflow.ir.ops.fake_quant import FakeQuantAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs

MOST_ELEMENTS = 2**31
"""Of one tensor: far beyond all targets, and still safe to compute with."""

TO_NHWC = (0, 2, 3, 1)
TO_NCHW = (0, 3, 1, 2)

BINARY = frozenset({Op.ADD, Op.DIV, Op.MUL, Op.PRELU, Op.SUB})

BATCH_REMEDY = "keep the batch axis: it is the first one and has the size 1"


@dataclass(frozen=True)
class Value:
    """A value of the source model that is computed: its shape there, and the tensor that holds it.

    The tensor has the same shape, except that
    - where the source has moved, joined or dropped its batch axis (``shape`` does not begin with
      1) the tensor has an axis of 1 more, in front: every tensor of the graph has a batch of 1;
    - where the source repeats a value along an axis, only to broadcast it, the tensor has 1 there.
    """

    tensor: str
    shape: Shape


class Builder:
    """Maps each value of the source model to a constant or to a `Value`.

    Tensors keep the axis order of the source; a handler that needs images channels-last wraps
    its node in TRANSPOSEs, which a pass removes. ``scales`` are those that constants of a quantized
    source had, and ``codes`` tells which values are codes there.
    """

    def __init__(self, constants: Mapping[str, np.ndarray], layers: Sequence[Layer] = ()) -> None:
        """``constants`` by source name. Names in ``layers`` are kept free for their owners."""
        self.constants: dict[str, np.ndarray] = dict(constants)
        self._reserved_nodes = {layer.name for layer in layers}
        self._makers = {output: layer.name for layer in layers for output in layer.outputs}
        self._reserved_tensors = {*constants, *(o for layer in layers for o in layer.outputs)}
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []
        self.scales: dict[str, QuantParams] = {}
        self.codes: dict[str, FakeQuantAttrs] = {}
        self._scales_of: dict[str, QuantParams] = {}
        self._values: dict[str, Value] = {}
        self._node_names: set[str] = set()
        self._bound: set[str] = set()

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

    def number(self, layer: Layer, index: int, what: str) -> float:
        """A constant that is a single number."""
        value = self.weight(layer, index, what)
        if value.size != 1 or np.isnan(value).any():
            raise RefusalError(f"{layer.op} needs a {what} that is a single number")
        return float(value.reshape(()))

    def value(self, layer: Layer, index: int = 0) -> Value:
        """The value of an operand; a constant becomes a constant tensor."""
        if not self.is_constant(layer, index):
            return self._values[layer.inputs[index]]
        array = as_float32(self.constants[layer.inputs[index]], f"operand {index}")
        return self.stored_constant(layer.inputs[index], array)

    def activation(self, layer: Layer, index: int = 0) -> str:
        """The tensor of an operand that has its batch axis in front, in the source's shape."""
        value = self.value(layer, index)
        if value.shape[:1] != (1,):
            raise RefusalError(
                f"its operand {list(value.shape)} has no batch axis of 1", BATCH_REMEDY
            )
        return self.full(value, layer)

    def full(self, value: Value, layer: Layer) -> str:
        """The value's tensor; ``layer`` repeats its elements where the source has done so."""
        stored = self.shape(value.tensor)
        if math.prod(stored) == math.prod(value.shape):
            return value.tensor
        if len(stored) == len(value.shape) == 4 and stored[:2] == value.shape[:2]:
            return self._repeated_pixels(layer, value)
        x = value.tensor
        front = len(stored) - len(value.shape)
        for axis, size in enumerate(value.shape):
            if self.shape(x)[front + axis] != size:
                x = self.repeat(layer, x, front + axis, size)
        return x

    def repeat(self, layer: Layer, x: str, axis: int, count: int) -> str:
        """``count`` copies of a tensor, one behind the other along an axis but the batch's."""
        shape = self.shape(x)
        before, after = math.prod(shape[:axis]), math.prod(shape[axis:])
        image = self.reshape(layer, x, (1, before, 1, after), "one_copy")
        image = self.emit(
            layer, Op.RESIZE_NEAREST, (image,), ResizeAttrs((before, count)), "repeated"
        )
        wanted = (*shape[:axis], count * shape[axis], *shape[axis + 1 :])
        return self.reshape(layer, image, wanted, "all_copies")

    def _repeated_pixels(self, layer: Layer, value: Value) -> str:
        """[1, c, 1 or h, 1 or w] -> [1, c, h, w]."""
        image = self.transpose(layer, value.tensor, TO_NHWC, "to_nhwc")
        size = (value.shape[2], value.shape[3])
        image = self.emit(layer, Op.RESIZE_NEAREST, (image,), ResizeAttrs(size), "repeated")
        return self.transpose(layer, image, TO_NCHW, "to_nchw")

    def shape(self, tensor: str) -> Shape:
        return self.tensors[tensor].shape

    # What handlers emit.

    def add_constant(self, stem: str, value: np.ndarray) -> str:
        """A constant of its own for each reader: layers quantize their constants differently."""
        name = stem if stem not in self.tensors else self._unique_tensor(stem)
        self.tensors[name] = Tensor.constant(name, np.array(value, dtype=np.float32))
        if stem in self.scales:
            self._scales_of[name] = self.scales[stem]
        return name

    def stored_constant(self, stem: str, array: np.ndarray) -> Value:
        """A constant as a value, with a batch axis like any other."""
        stored = array if array.shape[:1] == (1,) else array[None]
        return Value(self.add_constant(stem, stored), array.shape)

    def emit(
        self, layer: Layer, op: Op, inputs: Sequence[str], attrs: Attrs, suffix: str = ""
    ) -> str:
        """Appends a node and returns the tensor that it computes.

        The layer's main node has no ``suffix`` and bears the layer's name; nodes around it are
        told apart by theirs.
        """
        self._keep_scale(op, inputs)
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

    def _keep_scale(self, op: Op, inputs: Sequence[str]) -> None:
        """Gives a weight, or a constant that is added or multiplied, the scales of its codes."""
        axis = OPS[op].weight_axis
        for index, name in enumerate(inputs):
            given = self._scales_of.get(name)
            if given is not None and index == 1 and axis is not None:
                self.tensors[name] = with_scale(self.tensors[name], given, axis)
            elif given is not None and given.axis is None and op in BINARY:
                self.tensors[name] = replace(self.tensors[name], quant=given)

    def transpose(self, layer: Layer, x: str, perm: Sequence[int], suffix: str = "") -> str:
        """The batch axis stays where it is."""
        perm = tuple(int(p) for p in perm)
        if perm == tuple(range(len(perm))):
            return x
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
        self._values[name] = Value(name, shape)
        self._bound.add(name)

    def knows(self, value: str) -> bool:
        return value in self._values or value in self.constants

    def known_shape(self, value: str) -> Shape:
        """The source's shape of a value that `knows` says yes to."""
        return self.constants[value].shape if value in self.constants else self._values[value].shape

    def placeholder(self, value: str, shape: Shape) -> None:
        """Stands for the result of a refused layer, so that its readers can be checked too."""
        name = self._unique_tensor(value)
        stored = shape if shape[:1] == (1,) else (1, *shape)
        self.tensors[name] = Tensor(name, stored, DType.FLOAT32)
        self._values[value] = Value(name, shape)
        self._bound.add(name)

    def bind(self, name: str, result: str | Value) -> None:
        """Says what a source value is; a tensor stands for a value of its own shape. A new tensor
        takes the value's name, unless the value is codes: then it waits for that of the reals."""
        if isinstance(result, str):
            result = Value(result, self.shape(result))
        if name in self.codes:
            self._values[name] = result
            return
        if result.tensor not in self._bound:
            old, new = result.tensor, self._rename(result.tensor, name)
            result = replace(result, tensor=new)
            for codes in self.codes.keys() & self._values.keys():
                if self._values[codes].tensor == old:
                    self._values[codes] = replace(self._values[codes], tensor=new)
        self._values[name] = result
        self._bound.add(result.tensor)

    def alias(self, name: str, value: str) -> None:
        """Gives a source value a second name."""
        self._values[name] = self._values[value]
        self._makers.setdefault(name, self._makers.get(value, value))

    def output(self, value: str, outputs: Sequence[str]) -> str:
        """The tensor of the graph output ``value``, under that name.

        Where layers that compute nothing made it an alias of an input or of another output, a
        RESHAPE to the same shape copies it. Refuses one without a batch axis.
        """
        alias = Layer(value, "Identity", (value,), (value,), {})
        tensor = self.activation(alias)
        if tensor == value:
            return tensor
        if value in self.tensors:
            # What the layer computed before its elements were repeated.
            self._rename_value(value, self._unique_tensor(f"{value}/once"))
        if tensor not in self.inputs and tensor not in outputs:
            return self._rename_value(tensor, value)
        copy = self.emit(alias, Op.RESHAPE, (tensor,), ReshapeAttrs(self.shape(tensor)))
        return self._rename(copy, value)

    def maker(self, value: str) -> str:
        """The source layer that computes a value."""
        return self._makers.get(value, value)

    def build(self, name: str, outputs: Sequence[str]) -> Graph:
        used = {*self.inputs, *outputs}
        used.update(n for node in self.nodes for n in (*node.inputs, *node.outputs))
        tensors = {key: t for key, t in self.tensors.items() if key in used}
        return Graph(name, tuple(self.nodes), tensors, tuple(self.inputs), tuple(outputs))

    def _rename_value(self, old: str, new: str) -> str:
        """Renames a tensor that values of the source are bound to."""
        self._rename(old, new)
        self._bound.add(new)
        self._values = {
            v: replace(known, tensor=new) if known.tensor == old else known
            for v, known in self._values.items()
        }
        return new

    def _rename(self, old: str, new: str) -> str:
        self.tensors[new] = replace(self.tensors.pop(old), name=new)
        # Nodes stand in order: before the one that computes the tensor, nothing reads it.
        for index in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[index]
            if old in node.inputs or old in node.outputs:
                self.nodes[index] = replace(
                    node,
                    inputs=tuple(new if i == old else i for i in node.inputs),
                    outputs=tuple(new if o == old else o for o in node.outputs),
                )
            if old in node.outputs:
                break
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
