"""Builds small .tflite files operator by operator, and runs float ones in LiteRT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyflow.ir import QuantParams


class TfliteBuilder:
    """Tensors and operators in the order of the calls; indices are handed back.

    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 4)), b.tensor("y", (1, 4))
    b.op("RELU", [x], [y])
    model = b.build([x], [y])
    """

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.name = b"main"
        self.graph.tensors = []
        self.graph.operators = []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        kind: str = "FLOAT32",
        quant: QuantParams | None = None,
        data: bytes | None = None,
        signature: Sequence[int] | None = None,
    ) -> int:
        entry = schema.TensorT()
        entry.name = name.encode()
        entry.shape = list(shape)
        entry.shapeSignature = None if signature is None else list(signature)
        entry.type = getattr(schema.TensorType, kind)
        entry.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data, dtype=np.uint8)
            self.model.buffers.append(buffer)
            entry.buffer = len(self.model.buffers) - 1
        if quant is not None:
            entry.quantization = schema.QuantizationParametersT()
            entry.quantization.scale = list(quant.scales)
            entry.quantization.zeroPoint = list(quant.zero_points)
            entry.quantization.quantizedDimension = quant.axis or 0
        self.graph.tensors.append(entry)
        return len(self.graph.tensors) - 1

    def constant(self, name: str, data: Any, quant: QuantParams | None = None) -> int:
        """A constant of the array's own element type; plain integers are int32."""
        array = np.asarray(data)
        if array.dtype == np.int64:
            array = array.astype(np.int32)
        kind = array.dtype.name.upper()
        return self.tensor(name, array.shape, kind, quant, array.tobytes())

    def random(self, name: str, shape: Sequence[int]) -> int:
        return self.constant(name, self.rng.normal(size=tuple(shape)).astype(np.float32))

    def op(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: str | None = None,
        **fields: Any,
    ) -> None:
        """``options`` names the table, without "Options"; ``fields`` are its contents."""
        code = schema.OperatorCodeT()
        number = getattr(schema.BuiltinOperator, name)
        code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
        code.version = 1
        self.model.operatorCodes.append(code)
        entry = schema.OperatorT()
        entry.opcodeIndex = len(self.model.operatorCodes) - 1
        entry.inputs, entry.outputs = list(inputs), list(outputs)
        if options is not None:
            table = getattr(schema, f"{options}OptionsT")()
            for key, value in fields.items():
                assert hasattr(table, key), f"{options}Options has no {key}"
                setattr(table, key, value)
            entry.builtinOptionsType = getattr(schema.BuiltinOptions, f"{options}Options")
            entry.builtinOptions = table
        self.graph.operators.append(entry)

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return pack(self.model)


def pack(model: Any) -> bytes:
    """The bytes of a ModelT."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def with_float_weights(data: bytes) -> bytes:
    """The same model with its integer weights stored as float.

    LiteRT would quantize the activations in front of integer weights on the fly.
    """
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for tensor in model.subgraphs[0].tensors:
        stored = model.buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.INT8 or stored is None:
            continue
        params = tensor.quantization
        (scale,), (zero,) = params.scale, params.zeroPoint
        codes = np.frombuffer(stored.tobytes(), dtype=np.int8).astype(np.float64)
        real = ((codes - zero) * float(scale)).astype(np.float32)
        model.buffers[tensor.buffer].data = np.frombuffer(real.tobytes(), dtype=np.uint8)
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    return pack(model)


def run_litert(model: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a model at batch 1, by LiteRT's plain reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    runner = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    runner.allocate_tensors()
    for detail, array in zip(runner.get_input_details(), inputs, strict=True):
        runner.set_tensor(detail["index"], array)
    runner.invoke()
    return [runner.get_tensor(detail["index"]) for detail in runner.get_output_details()]
