"""Packs a model into the flatbuffer that TFLite reads, with the schema of ai-edge-litert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from tinyflow.codegen.tflite.file import OperatorUse
from tinyflow.codegen.tflite.model import Model, Operator
from tinyflow.errors import MissingExtraError
from tinyflow.ir import Tensor

IDENTIFIER = b"TFL3"
VERSION = 3
ALIGNMENT = 16
"""Bytes: kernels read constants where they lie in the file."""
_MOST_OLD_CODE = 127
"""Operators up to here also stand in the byte that old readers know."""


def schema() -> ModuleType:
    """The classes of TFLite's schema. Raises `MissingExtraError`."""
    try:
        import flatbuffers  # noqa: F401
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise MissingExtraError("writing a .tflite file", "tflite") from None
    return schema_py_generated


def operator_uses(operators: Iterable[Operator]) -> tuple[OperatorUse, ...]:
    """Every operator once, in order of first use."""
    codes = schema().BuiltinOperator
    found: dict[str, OperatorUse] = {}
    for operator in operators:
        custom = operator.custom is not None
        code = codes.CUSTOM if custom else getattr(codes, operator.name)
        found.setdefault(operator.name, OperatorUse(operator.name, int(code), custom))
    return tuple(found.values())


def pack(model: Model) -> bytes:
    """The bytes of the file; equal models give equal bytes."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(_Packer(schema()).model(model).Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


class _Packer:
    """Builds the schema's objects."""

    def __init__(self, schema: ModuleType) -> None:
        self.schema = schema
        self.buffers: list[Any] = [schema.BufferT()]

    def model(self, model: Model) -> Any:
        uses = operator_uses(model.operators)
        index = {use.name: position for position, use in enumerate(uses)}
        result = self.schema.ModelT()
        result.version = VERSION
        result.description = "made by TinyFlow"
        result.operatorCodes = [self._operator_code(use) for use in uses]
        graph = self.schema.SubGraphT()
        graph.name = model.name
        graph.tensors = [self._tensor(tensor) for tensor in model.tensors]
        graph.operators = [self._operator(op, index[op.name]) for op in model.operators]
        graph.inputs = list(model.inputs.values())
        graph.outputs = list(model.outputs.values())
        result.subgraphs = [graph]
        result.buffers = self.buffers
        result.signatureDefs = [self._signature(model)]
        return result

    def _operator_code(self, use: OperatorUse) -> Any:
        entry = self.schema.OperatorCodeT()
        entry.builtinCode = use.code
        entry.deprecatedBuiltinCode = min(use.code, _MOST_OLD_CODE)
        entry.version = 1
        if use.custom:
            entry.customCode = use.name
        return entry

    def _operator(self, operator: Operator, code: int) -> Any:
        entry = self.schema.OperatorT()
        entry.opcodeIndex = code
        entry.inputs, entry.outputs = list(operator.inputs), list(operator.outputs)
        if operator.custom is not None:
            entry.customOptions = np.frombuffer(operator.custom, dtype=np.uint8)
        if operator.options is not None:
            table = operator.options.table
            entry.builtinOptionsType = getattr(self.schema.BuiltinOptions, table)
            options = getattr(self.schema, f"{table}T")()
            for name, value in operator.options.fields.items():
                if not hasattr(options, name):
                    raise AttributeError(f"{table} has no field '{name}'")
                setattr(options, name, value)
            entry.builtinOptions = options
        return entry

    def _tensor(self, tensor: Tensor) -> Any:
        entry = self.schema.TensorT()
        entry.name = tensor.name
        entry.shape = list(tensor.shape)
        entry.type = getattr(self.schema.TensorType, tensor.dtype.name)
        entry.buffer = self._buffer(tensor)
        if tensor.quant is not None:
            entry.quantization = self.schema.QuantizationParametersT()
            entry.quantization.scale = list(tensor.quant.scales)
            entry.quantization.zeroPoint = list(tensor.quant.zero_points)
            entry.quantization.quantizedDimension = tensor.quant.axis or 0
        return entry

    def _buffer(self, tensor: Tensor) -> int:
        """Activations share the empty buffer, which is the first."""
        if tensor.data is None:
            return 0
        self.buffers.append(_AlignedBuffer(self.schema, tensor.value))
        return len(self.buffers) - 1

    def _signature(self, model: Model) -> Any:
        entry = self.schema.SignatureDefT()
        entry.signatureKey = "serving_default"
        entry.subgraphIndex = 0
        entry.inputs = self._names(model.inputs)
        entry.outputs = self._names(model.outputs)
        return entry

    def _names(self, indices: Mapping[str, int]) -> list[Any]:
        result = []
        for name, index in indices.items():
            entry = self.schema.TensorMapT()
            entry.name, entry.tensorIndex = name, index
            result.append(entry)
        return result


class _AlignedBuffer:
    """Stands in for the schema's ``BufferT``, whose ``Pack`` does not align the data."""

    def __init__(self, schema: ModuleType, data: np.ndarray) -> None:
        self.schema = schema
        self.data = data.astype(data.dtype.newbyteorder("<")).tobytes()

    def Pack(self, builder: Any) -> Any:  # noqa: N802
        builder.StartVector(1, len(self.data), ALIGNMENT)
        builder.head -= len(self.data)
        builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
        data = builder.EndVector()
        self.schema.BufferStart(builder)
        self.schema.BufferAddData(builder, data)
        return self.schema.BufferEnd(builder)
