"""A model with the same memory plan, of operators that TensorFlow Lite Micro has itself.

The interpreter cannot allocate tensors around operators that it does not know. Only which tensors
are alive together matters for the arena, so that builtin operators take their places. Working
memory is a tensor too, alive while its operator runs. The model is allocated, never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from tinyflow.codegen.tflite.flatbuffer import IDENTIFIER, schema
from tinyflow.codegen.tflite.project.cmsis_nn import BuiltinUse, scratch_bytes
from tinyflow.ir import DType, Shape


def stand_in(model: bytes, scratch: Mapping[int, int]) -> bytes:
    """The .tflite file ``model`` without custom operators, and with the working memory that
    CMSIS-NN's kernels would take.

    ``scratch`` are bytes that custom operators work in, by the index of the tensor that they write.
    """
    import flatbuffers

    names = schema()
    root = names.ModelT.InitFromObj(names.Model.GetRootAs(model, 0))
    _StandIn(names, root).replace(scratch)
    builder = flatbuffers.Builder(1024)
    builder.Finish(root.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


class _StandIn:
    """Rewrites a model. FILL gives a tensor of any shape and type from constants, SHAPE reads any
    tensor: between them the tensor is alive."""

    def __init__(self, schema: ModuleType, model: Any) -> None:
        self.schema = schema
        self.model = model
        self.graph = model.subgraphs[0]
        self.operators: list[Any] = []
        self.names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
        self.dtypes = {getattr(schema.TensorType, dtype.name): dtype for dtype in DType}
        self.fill = self._code(schema.BuiltinOperator.FILL)
        self.shape = self._code(schema.BuiltinOperator.SHAPE)

    def replace(self, scratch: Mapping[int, int]) -> None:
        for operator in self.graph.operators:
            if self._is_custom(operator):
                nbytes = scratch.get(int(operator.outputs[0]), 0)
            else:
                nbytes = scratch_bytes(self._use(operator))
            buffer = self._tensor((nbytes,), self.schema.TensorType.INT8) if nbytes else None
            if buffer is not None:
                self._make(buffer)
            if self._is_custom(operator):
                for result in operator.outputs:
                    self._make(int(result))
                for operand in operator.inputs:
                    if not self._is_constant(int(operand)):
                        self._read(int(operand))
            else:
                self.operators.append(operator)
            if buffer is not None:
                self._read(buffer)
        self.graph.operators = self.operators
        for code in self.model.operatorCodes:
            if code.builtinCode == self.schema.BuiltinOperator.CUSTOM:
                # Unused now, but an interpreter wants to know every operator that is listed.
                code.builtinCode = code.deprecatedBuiltinCode = self.schema.BuiltinOperator.SHAPE
                code.customCode = None

    def _use(self, operator: Any) -> BuiltinUse:
        result, options = int(operator.outputs[0]), operator.builtinOptions
        return BuiltinUse(
            self.names[self.model.operatorCodes[operator.opcodeIndex].builtinCode],
            tuple(self._shape(int(operand)) for operand in operator.inputs if operand >= 0),
            self._shape(result),
            self.dtypes[self.graph.tensors[result].type],
            (getattr(options, "strideH", 1), getattr(options, "strideW", 1)),
        )

    def _shape(self, tensor: int) -> Shape:
        shape = self.graph.tensors[tensor].shape
        return () if shape is None else tuple(map(int, shape))

    def _is_custom(self, operator: Any) -> bool:
        code = self.model.operatorCodes[operator.opcodeIndex]
        return bool(code.builtinCode == self.schema.BuiltinOperator.CUSTOM)

    def _is_constant(self, tensor: int) -> bool:
        return self.model.buffers[self.graph.tensors[tensor].buffer].data is not None

    def _make(self, tensor: int) -> None:
        entry = self.graph.tensors[tensor]
        dims = np.array(entry.shape, dtype=np.int32)
        shape = self._tensor((len(dims),), self.schema.TensorType.INT32, dims.tobytes())
        zero = self._tensor((), entry.type, bytes(8))
        options = self.schema.FillOptionsT()
        self._operator(self.fill, [shape, zero], tensor, "FillOptions", options)

    def _read(self, tensor: int) -> None:
        int32 = self.schema.TensorType.INT32
        result = self._tensor((len(self.graph.tensors[tensor].shape),), int32)
        options = self.schema.ShapeOptionsT()
        options.outType = int32
        self._operator(self.shape, [tensor], result, "ShapeOptions", options)

    def _operator(self, code: int, inputs: list[int], output: int, kind: str, options: Any) -> None:
        entry = self.schema.OperatorT()
        entry.opcodeIndex = code
        entry.inputs, entry.outputs = inputs, [output]
        entry.builtinOptionsType = getattr(self.schema.BuiltinOptions, kind)
        entry.builtinOptions = options
        self.operators.append(entry)

    def _tensor(self, shape: tuple[int, ...], kind: int, data: bytes | None = None) -> int:
        entry = self.schema.TensorT()
        entry.name = f"stand_in_{len(self.graph.tensors)}"
        entry.shape, entry.type, entry.buffer = list(shape), kind, 0
        if data is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(data, dtype=np.uint8)
            self.model.buffers.append(buffer)
            entry.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(entry)
        return len(self.graph.tensors) - 1

    def _code(self, builtin: int) -> int:
        entry = self.schema.OperatorCodeT()
        entry.builtinCode = builtin
        entry.deprecatedBuiltinCode = min(builtin, 127)
        entry.version = 1
        self.model.operatorCodes.append(entry)
        return len(self.model.operatorCodes) - 1
