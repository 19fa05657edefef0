"""Turns the records of a .tflite file into a graph, one handler an operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinyflow.errors import ModelError, Obstacle, UnsupportedError
from tinyflow.importers.tflite.boundary import Boundary, find_boundary
from tinyflow.importers.tflite.constant import FOLDED, fold
from tinyflow.importers.tflite.flatbuffer import RawModel, RawOperator, RawTensor
from tinyflow.importers.tflite.handlers import HANDLERS
from tinyflow.importers.tflite.layer_error import (
    LayerError,
    check_activation,
    check_quantized,
    refuse_type,
)
from tinyflow.ir import (
    NO_CLAMP,
    OPS,
    Attrs,
    Clamp,
    DType,
    Graph,
    Node,
    Op,
    Shape,
    ShapeError,
    Tensor,
    check_graph,
    non_finite_constants,
)
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs

_CONTROL_FLOW = {"IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE"}


class Importer:
    """The state of one import. Handlers read operands through it and `emit` nodes."""

    def __init__(self, model: RawModel, name: str, shapes: Mapping[str, Shape]) -> None:
        self.model = model
        self.graph_name = name
        self.boundary: Boundary = find_boundary(model)
        self.names = tensor_names(model, self.boundary)
        self.shapes = shapes
        self.tensors: dict[str, Tensor] = {}
        self.values: dict[int, str] = {}
        self.nodes: list[Node] = []
        self.obstacles: list[Obstacle] = []
        self._node_names: set[str] = set()

    def run(self) -> Graph:
        """The whole import; raises `ModelError`, or `UnsupportedError` with all obstacles."""
        self._check_subgraphs()
        inputs = self._add_inputs()
        for op in self.model.operators:
            if op not in self.boundary.stripped:
                self._import(op)
        if self.obstacles:
            raise UnsupportedError(self.obstacles)
        outputs = tuple(self.tensor(i).name for i in self.boundary.outputs)
        graph = Graph(self.graph_name, tuple(self.nodes), self.tensors, inputs, outputs)
        graph = replace(graph, tensors=_used(graph))
        broken = non_finite_constants(graph)
        if broken:
            listed = ", ".join(f"'{name}'" for name in broken)
            raise ModelError(
                f"weights of this model are NaN or infinite: {listed}",
                "train or export the model again; TinyFlow cannot quantize such weights",
            )
        check_graph(graph, after="the TFLite importer")
        return graph

    def layer(self, op: RawOperator) -> str:
        """The name by which people know a layer: see `_layer_name`."""
        return _layer_name(self.model.tensors[op.outputs[0]])

    def operand(self, op: RawOperator, position: int, role: str = "input") -> Tensor:
        """An operand that must be there."""
        tensor = self.optional(op, position)
        if tensor is None:
            raise LayerError(f"its {role} is missing")
        return tensor

    def optional(self, op: RawOperator, position: int) -> Tensor | None:
        """An operand that may be absent."""
        if position >= len(op.inputs) or op.inputs[position] < 0:
            return None
        return self.tensor(op.inputs[position])

    def parameter(
        self, op: RawOperator, position: int, x: Tensor, role: str = "weight"
    ) -> Tensor | None:
        """A constant operand next to ``x``; integer weights of a float layer become float."""
        tensor = self.optional(op, position)
        if tensor is None:
            return None
        if not tensor.is_constant:
            raise LayerError(f"its {role} is not constant")
        if x.dtype is DType.FLOAT32 and tensor.dtype.is_integer and tensor.quant is not None:
            name = f"{tensor.name}/float"
            if name not in self.tensors:
                real = tensor.quant.dequantize(tensor.value)
                self.tensors[name] = Tensor.constant(name, real)
            return self.tensors[name]
        return tensor

    def integers(self, op: RawOperator, position: int, role: str) -> tuple[int, ...]:
        """The values of an integer operand that must be constant."""
        tensor = self.operand(op, position, role)
        if not tensor.is_constant or not tensor.dtype.is_integer:
            raise LayerError(f"its {role} is computed at run time")
        return tuple(int(v) for v in tensor.value.ravel())

    def option(self, op: RawOperator, key: str) -> int:
        """An integer or a flag of the operator's options."""
        value = op.options.get(key)
        if not isinstance(value, int):
            raise LayerError(f"its option {key} is missing")
        return value

    def options_or(self, op: RawOperator, key: str, default: int) -> int:
        """As `option`, for one that older files lack."""
        value = op.options.get(key, default)
        return value if isinstance(value, int) else default

    def option_list(self, op: RawOperator, key: str) -> tuple[int, ...]:
        """A list of integers among the operator's options; absent is empty."""
        values = op.options.get(key)
        return tuple(int(v) for v in values) if isinstance(values, Iterable) else ()

    def tensor(self, index: int) -> Tensor:
        """The tensor that stands for one of the file; constants are made when first asked for."""
        if index not in self.values:
            raw = self.model.tensors[index]
            if not raw.is_constant:
                raise ModelError(f"'{raw.name}' is read before any layer computes it")
            self.tensors[self.names[index]] = _constant(raw, self.names[index])
            self.values[index] = self.names[index]
        return self.tensors[self.values[index]]

    def alias(self, index: int, tensor: Tensor) -> None:
        """Lets a tensor of the file stand for one that is there already."""
        self.values[index] = tensor.name

    def emit(
        self,
        op: RawOperator,
        kind: Op,
        inputs: Sequence[Tensor | None],
        attrs: Attrs | None = None,
        output: int = 0,
        clamp: Clamp = NO_CLAMP,
    ) -> Tensor:
        """Adds the node that computes the operator's ``output``-th output.

        Trailing absent operands are dropped. ``clamp`` follows as a layer of its own: operations
        that can clamp by themselves have it in their attributes.
        """
        raw = self.model.tensors[op.outputs[output]]
        operands = [t for t in inputs if t is not None]
        attrs = attrs if attrs is not None else Attrs()
        result = self._result(raw, kind, attrs, operands)
        if not clamp.is_identity:
            inner = replace(result, name=self._free_tensor(f"{result.name}/unclamped"))
            self._add(raw, kind, operands, attrs, inner)
            kind, operands, attrs = Op.CLAMP, [inner], ClampAttrs(clamp)
        self._add(raw, kind, operands, attrs, result)
        self.values[raw.index] = result.name
        return result

    def emit_between(
        self, op: RawOperator, kind: Op, x: Tensor, attrs: Attrs, suffix: str
    ) -> Tensor:
        """Adds a node between ``x`` and the operator's own; it keeps the parameters of ``x``."""
        raw = self.model.tensors[op.outputs[0]]
        shape = _infer(kind, attrs, [x])
        inner = replace(x, name=self._free_tensor(f"{raw.name}/{suffix}"), shape=shape)
        self._add(raw, kind, [x], attrs, inner)
        return inner

    def reshape(self, op: RawOperator, x: Tensor, shape: Shape) -> Tensor:
        """``x`` in another shape, before the operator's own node."""
        if x.shape == shape:
            return x
        return self.emit_between(op, Op.RESHAPE, x, ReshapeAttrs(shape), "reshaped")

    def _result(self, raw: RawTensor, kind: Op, attrs: Attrs, operands: Sequence[Tensor]) -> Tensor:
        check_activation(raw)
        dtype = raw.dtype
        assert dtype is not None
        for tensor in operands:
            if not tensor.is_constant and tensor.dtype is not dtype:
                raise LayerError(
                    f"it turns {tensor.dtype.value} into {dtype.value}",
                    "export the model as all float or all int8",
                )
        if dtype.is_integer:
            check_quantized(kind, raw, operands)
        shape = _infer(kind, attrs, operands)
        return Tensor(self.names[raw.index], shape, dtype, raw.quant)

    def _free_tensor(self, stem: str) -> str:
        name, number = stem, 1
        while name in self.tensors or name in self.names:
            name, number = f"{stem}_{number}", number + 1
        return name

    def _add(
        self,
        raw: RawTensor,
        kind: Op,
        operands: Sequence[Tensor],
        attrs: Attrs,
        result: Tensor,
    ) -> None:
        layer = _layer_name(raw)
        name, number = layer, 1
        while name in self._node_names:
            name, number = f"{layer}_{number}", number + 1
        self._node_names.add(name)
        inputs = tuple(t.name for t in operands)
        self.nodes.append(Node(name, kind, inputs, (result.name,), attrs, (raw.name,)))
        self.tensors[result.name] = result

    def _import(self, op: RawOperator) -> None:
        try:
            handler = HANDLERS.get(op.name)
            if handler is None and op.name not in FOLDED:
                raise LayerError(f"TinyFlow does not support {op.name}")
            if self._fold(op):
                return
            if handler is None:
                raise LayerError(f"TinyFlow supports {op.name} only where its result is constant")
            handler(self, op)
        except LayerError as error:
            self.obstacles.append(Obstacle(self.layer(op), error.reason, error.remedy))
            self._stand_in(op)

    def _fold(self, op: RawOperator) -> bool:
        """Computes an operator whose result is known now, such as the shape of a tensor."""
        tensors = [self.tensor(i) for i in op.inputs if i >= 0]
        raw = self.model.tensors[op.outputs[0]]
        value = fold(op, tensors, raw.quant)
        if value is None:
            return False
        name = self.names[raw.index]
        quant = raw.quant if value.dtype.kind in "iu" else None
        self.tensors[name] = Tensor.constant(name, value, quant)
        self.values[raw.index] = name
        return True

    def _stand_in(self, op: RawOperator) -> None:
        """Lets the layers behind a refused one be checked too, at the shapes the file states."""
        for index in op.outputs:
            raw = self.model.tensors[index]
            shape = tuple(max(d, 1) for d in raw.shape)
            dtype = raw.dtype or DType.FLOAT32
            self.tensors[self.names[index]] = Tensor(self.names[index], shape, dtype, raw.quant)
            self.values[index] = self.names[index]

    def _add_inputs(self) -> tuple[str, ...]:
        names = [self.names[i] for i in self.boundary.inputs]
        for name in self.shapes:
            if name not in names:
                listed = ", ".join(f"'{n}'" for n in names)
                raise ModelError(f"the model has no input '{name}'", f"its inputs are {listed}")
        for index, name in zip(self.boundary.inputs, names, strict=True):
            raw = self.model.tensors[index]
            try:
                check_activation(raw)
            except LayerError as error:
                self.obstacles.append(Obstacle(raw.name, error.reason, error.remedy))
            dtype = raw.dtype or DType.FLOAT32
            self.tensors[name] = Tensor(name, self._input_shape(raw, name), dtype, raw.quant)
            self.values[index] = name
        return tuple(names)

    def _input_shape(self, raw: RawTensor, name: str) -> Shape:
        given = self.shapes.get(name)
        if given is not None:
            fits = len(given) == len(raw.shape) and all(
                g == s or s == -1 or i == 0
                for i, (g, s) in enumerate(zip(given, raw.signature, strict=True))
            )
            if not fits or given[0] != 1:
                raise ModelError(
                    f"the shape {_dims(given)} does not fit the input '{name}', "
                    f"which is {_dims(raw.signature)}",
                    "the first axis is the batch and must be 1",
                )
            return given
        shape = tuple(1 if i == 0 and s == -1 else s for i, s in enumerate(raw.signature)) or tuple(
            raw.shape
        )
        if any(d < 1 for d in shape):
            wanted = "x".join(str(d) if d > 0 else "N" for d in shape)
            raise ModelError(
                f"the input '{name}' has no fixed shape: {_dims(raw.signature)}",
                f"state it with --shape {name}={wanted}, with a number for each N",
            )
        if not shape or shape[0] != 1:
            raise ModelError(
                f"the input '{name}' has the shape {_dims(shape)}: its first axis, the batch, "
                "must be 1",
                "export the model for a batch of 1",
            )
        return shape

    def _check_subgraphs(self) -> None:
        names = {op.name for op in self.model.operators}
        if self.model.subgraphs > 1 and not names & _CONTROL_FLOW:
            raise ModelError(
                f"the model holds {self.model.subgraphs} graphs, TinyFlow compiles one",
                "export one signature on its own",
            )


def _layer_name(raw: RawTensor) -> str:
    """TFLite names only tensors, so a layer goes by its output's name. Where the converter has
    merged layers, it joins all of their names with semicolons; the first made the tensor."""
    return raw.name.split(";")[0] or raw.name


def _infer(kind: Op, attrs: Attrs, operands: Sequence[Tensor]) -> Shape:
    try:
        return OPS[kind].infer(attrs, *(t.shape for t in operands))
    except ShapeError as error:
        raise LayerError(str(error)) from None


def _constant(raw: RawTensor, name: str) -> Tensor:
    if raw.sparse:
        raise LayerError(f"its constant '{raw.name}' is stored sparse", "export dense weights")
    if raw.data is None:
        raise refuse_type(raw.type_name)
    data = raw.data.astype(np.float32) if raw.dtype is DType.FLOAT16 else raw.data
    return Tensor.constant(name, data, raw.quant)


def tensor_names(model: RawModel, boundary: Boundary) -> list[str]:
    """A name of its own for each tensor; those at the boundary bear the names of the model's
    inputs and outputs, also where a stripped QUANTIZE stood between."""
    names: list[str] = [""] * len(model.tensors)
    taken: set[str] = set()

    def give(index: int, stem: str) -> None:
        name, number = stem, 1
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        names[index] = name

    ends = zip((*boundary.inputs, *boundary.outputs), (*model.inputs, *model.outputs), strict=True)
    for index, source in ends:
        if not names[index]:
            give(index, model.tensors[source].name)
    for raw in model.tensors:
        if not names[raw.index]:
            give(raw.index, raw.name)
    return names


def _used(graph: Graph) -> dict[str, Tensor]:
    used = {name for node in graph.nodes for name in (*node.inputs, *node.outputs)}
    used.update(graph.inputs, graph.outputs)
    return {name: t for name, t in graph.tensors.items() if name in used}


def _dims(shape: Sequence[int]) -> str:
    return "x".join("?" if d < 0 else str(d) for d in shape) or "a scalar"
