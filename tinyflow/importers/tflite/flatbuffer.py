"""Reads the bytes of a .tflite file into plain records and checks that they hang together.

All that a damaged file can do wrong is caught here, at one boundary: whatever leaves this module
has indices in range, constants of the declared size and sound quantization parameters.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from tinyflow.errors import ModelError
from tinyflow.importers.tflite.schema import find_schema, read_options
from tinyflow.ir import DType, QuantParams

_IDENTIFIER = b"TFL3"
_NO_TENSOR = -1
_MOST_ELEMENTS = 1 << 31

# What the generated reader raises when an offset or a length leads nowhere.
_READER_ERRORS = (
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    MemoryError,
)

_DTYPES = {
    "FLOAT32": DType.FLOAT32,
    "FLOAT16": DType.FLOAT16,
    "INT8": DType.INT8,
    "UINT8": DType.UINT8,
    "INT16": DType.INT16,
    "INT32": DType.INT32,
    "INT64": DType.INT64,
}


@dataclass(frozen=True, eq=False)
class RawTensor:
    """A tensor of the file. ``dtype`` is None where TinyFlow has no such element type."""

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    """As ``shape``, with -1 where the size is not fixed."""
    type_name: str
    dtype: DType | None
    quant: QuantParams | None
    is_constant: bool
    data: np.ndarray | None
    """None also for a constant of a type that TinyFlow does not have."""
    sparse: bool


@dataclass(frozen=True, eq=False)
class RawOperator:
    """An operator of the file. ``name`` is TFLite's; ``inputs`` holds -1 for an absent one."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class RawModel:
    tensors: tuple[RawTensor, ...]
    operators: tuple[RawOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraphs: int


def parse(data: bytes, origin: str) -> RawModel:
    """The main subgraph of a .tflite file; ``origin`` names the file in errors."""
    if len(data) < 8 or data[4:8] != _IDENTIFIER:
        raise ModelError(
            f"{origin} is not a .tflite file: the identifier TFL3 is missing",
            "is the file complete, and is it a TensorFlow Lite model?",
        )
    schema = find_schema()
    try:
        return _Reader(schema, data).model()
    except _READER_ERRORS as error:
        raise ModelError(
            f"{origin} is damaged or incomplete ({str(error).splitlines()[0]})"
            if str(error)
            else f"{origin} is damaged or incomplete",
            "copy or export the model again",
        ) from None


class _Reader:
    """Walks the tables of one file; raises one of `_READER_ERRORS` where something is unsound."""

    def __init__(self, schema: ModuleType, data: bytes) -> None:
        self.schema = schema
        self.data = data
        self.root = schema.Model.GetRootAs(data, 0)
        self.op_names = _names(schema.BuiltinOperator)
        self.type_names = _names(schema.TensorType)
        self.option_names = _names(schema.BuiltinOptions)

    def model(self) -> RawModel:
        subgraphs = self.count(self.root.SubgraphsLength())
        _require(subgraphs > 0, "it holds no graph")
        graph = self.root.Subgraphs(0)
        tensors = tuple(
            self.tensor(i, graph.Tensors(i)) for i in range(self.count(graph.TensorsLength()))
        )
        codes = [
            self.op_name(self.root.OperatorCodes(i))
            for i in range(self.count(self.root.OperatorCodesLength()))
        ]
        operators = tuple(
            self.operator(codes, graph.Operators(i))
            for i in range(self.count(graph.OperatorsLength()))
        )
        model = RawModel(
            tensors,
            operators,
            _integers(graph.InputsAsNumpy),
            _integers(graph.OutputsAsNumpy),
            subgraphs,
        )
        _check(model)
        return model

    def count(self, length: int) -> int:
        """A vector's length, if the file can hold so many entries."""
        _require(length <= len(self.data) // 4, f"a list claims {length} entries")
        return length

    def op_name(self, code: Any) -> str:
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = self.op_names.get(number, f"operator {number}")
        if name != "CUSTOM":
            return name
        return f"CUSTOM operator '{_text(code.CustomCode())}'"

    def operator(self, codes: list[str], op: Any) -> RawOperator:
        kind = self.option_names.get(op.BuiltinOptionsType(), "")
        table = op.BuiltinOptions()
        return RawOperator(
            codes[op.OpcodeIndex()],
            _integers(op.InputsAsNumpy),
            _integers(op.OutputsAsNumpy),
            read_options(self.schema, kind, table) if table is not None else {},
        )

    def tensor(self, index: int, tensor: Any) -> RawTensor:
        name = _text(tensor.Name()) or f"tensor_{index}"
        shape = _integers(tensor.ShapeAsNumpy)
        signature = _integers(tensor.ShapeSignatureAsNumpy)
        if len(signature) != len(shape):
            signature = shape
        type_name = self.type_names.get(tensor.Type(), f"type {tensor.Type()}")
        dtype = _DTYPES.get(type_name)
        _require(all(d >= 0 for d in shape), f"tensor '{name}' has the shape {list(shape)}")
        _require(math.prod(shape) < _MOST_ELEMENTS, f"tensor '{name}' is of size {list(shape)}")
        quant = self.quantization(name, shape, dtype, tensor.Quantization())
        stored = self.contents(name, tensor.Buffer())
        sparse = tensor.Sparsity() is not None
        data = None
        if stored and dtype is not None and not sparse:
            data = _array(name, shape, dtype, stored)
        return RawTensor(
            index, name, shape, signature, type_name, dtype, quant, bool(stored), data, sparse
        )

    def quantization(
        self, name: str, shape: tuple[int, ...], dtype: DType | None, params: Any
    ) -> QuantParams | None:
        if params is None or dtype is None or not dtype.is_integer:
            return None
        scales = _floats(params.ScaleAsNumpy)
        zero_points = _integers(params.ZeroPointAsNumpy) or (0,) * len(scales)
        if not scales:
            return None
        _require(
            all(math.isfinite(s) and s > 0 for s in scales),
            f"tensor '{name}' has a scale that is not a positive number",
        )
        info = np.iinfo(dtype.numpy)
        _require(
            all(info.min <= z <= info.max for z in zero_points),
            f"tensor '{name}' has a zero point outside of {dtype.value}",
        )
        if len(scales) == 1:
            return QuantParams(scales, zero_points[:1])
        axis = params.QuantizedDimension()
        _require(
            0 <= axis < len(shape) and shape[axis] == len(scales) == len(zero_points),
            f"tensor '{name}' has {len(scales)} scales, its shape is {list(shape)}",
        )
        return QuantParams(scales, zero_points, axis)

    def contents(self, name: str, index: int) -> bytes:
        """A buffer's bytes; those of files over 2 GB lie behind the tables, at an offset."""
        _require(
            index < self.root.BuffersLength(),
            f"tensor '{name}' refers to the absent buffer {index}",
        )
        buffer = self.root.Buffers(index)
        if buffer.DataLength():
            return bytes(buffer.DataAsNumpy().tobytes())
        # Readers of a schema without these fields cannot see such data at all.
        start, size = getattr(buffer, "Offset", int)(), getattr(buffer, "Size", int)()
        if start <= 1 or size == 0:
            return b""
        _require(start + size <= len(self.data), "a buffer lies beyond the end of the file")
        return self.data[start : start + size]


def _array(name: str, shape: tuple[int, ...], dtype: DType, stored: bytes) -> np.ndarray:
    expected = math.prod(shape) * dtype.itemsize
    _require(
        len(stored) == expected,
        f"tensor '{name}' needs {expected} bytes of data and has {len(stored)}",
    )
    values = np.frombuffer(stored, dtype.numpy.newbyteorder("<"))
    return values.astype(dtype.numpy).reshape(shape)


def _check(model: RawModel) -> None:
    """Indices lie in range, and each tensor is an input, a constant or computed once, earlier."""
    count = len(model.tensors)
    known = {t.index for t in model.tensors if t.is_constant}
    _require(bool(model.inputs) and bool(model.outputs), "it has no inputs or no outputs")
    for index in (*model.inputs, *model.outputs):
        _require(0 <= index < count, f"it refers to the absent tensor {index}")
    _require(len(set(model.inputs)) == len(model.inputs), "an input is listed twice")
    _require(known.isdisjoint(model.inputs), "an input is a constant")
    known.update(model.inputs)
    for op in model.operators:
        _require(bool(op.outputs), f"a {op.name} has no output")
        for index in op.outputs:
            _require(0 <= index < count, f"a {op.name} writes the absent tensor {index}")
            _require(index not in known, f"'{model.tensors[index].name}' is computed twice")
        known.update(op.outputs)
    for op in model.operators:
        for index in op.inputs:
            _require(_NO_TENSOR <= index < count, f"a {op.name} reads the absent tensor {index}")
    for index in model.outputs:
        _require(index in known, f"the output '{model.tensors[index].name}' is never computed")


def _names(enumeration: type) -> dict[int, str]:
    return {v: k for k, v in vars(enumeration).items() if isinstance(v, int)}


def _text(raw: bytes | None) -> str:
    return raw.decode("utf-8", errors="replace") if raw else ""


def _integers(read: Callable[[], Any]) -> tuple[int, ...]:
    """A vector of integers; the generated readers return 0 for an absent one."""
    vector = read()
    return () if isinstance(vector, int) else tuple(int(v) for v in vector)


def _floats(read: Callable[[], Any]) -> tuple[float, ...]:
    vector = read()
    return () if isinstance(vector, int) else tuple(float(v) for v in vector)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
