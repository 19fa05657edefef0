"""Writes a quantized graph as an int8 .tflite file, so that TFLite Micro can be the oracle.

Only what TFLite can say is written; `NotExpressibleError` names what it cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyflow.ir import NO_CLAMP, RELU, RELU6, Clamp, DType, Graph, Node, Op, QuantParams, Tensor
from tinyflow.ir.ops.spatial import NO_PADDING, Padding, same_padding

_TYPES = {
    DType.INT8: schema.TensorType.INT8,
    DType.UINT8: schema.TensorType.UINT8,
    DType.INT16: schema.TensorType.INT16,
    DType.INT32: schema.TensorType.INT32,
}
_ACTIVATIONS = {
    NO_CLAMP: schema.ActivationFunctionType.NONE,
    RELU: schema.ActivationFunctionType.RELU,
    RELU6: schema.ActivationFunctionType.RELU6,
    Clamp(-1.0, 1.0): schema.ActivationFunctionType.RELU_N1_TO_1,
}
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


class NotExpressibleError(ValueError):
    """TFLite (or TFLite Micro) has no way to say this."""


def graph_to_tflite(graph: Graph) -> bytes:
    """The bytes of a .tflite file that computes the same as the quantized ``graph``."""
    return write_tflite(graph)[0]


def write_tflite(graph: Graph) -> tuple[bytes, dict[str, int]]:
    """The file, and the index of every activation and constant in it by name."""
    for node in graph.nodes:
        if node.op not in _HANDLERS:
            raise NotExpressibleError(f"{node.op.value} does not exist in TFLite")
    writer = _Writer(graph)
    for node in graph.nodes:
        _HANDLERS[node.op](writer, node)
    return writer.finish(), writer.indices


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = b"oracle"
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.subgraph = schema.SubGraphT()
        self.subgraph.name = b"main"
        self.subgraph.tensors = []
        self.subgraph.operators = []
        self.model.subgraphs = [self.subgraph]
        self.codes: dict[int, int] = {}
        self.indices: dict[str, int] = {}
        for tensor in graph.tensors.values():
            self.indices[tensor.name] = self.add_tensor(tensor)
        self.subgraph.inputs = [self.indices[name] for name in graph.inputs]
        self.subgraph.outputs = [self.indices[name] for name in graph.outputs]

    def add_tensor(self, tensor: Tensor) -> int:
        entry = schema.TensorT()
        entry.name = tensor.name.encode()
        entry.shape = list(tensor.shape)
        entry.type = _TYPES[tensor.dtype]
        entry.buffer = self._buffer(tensor.data)
        if tensor.quant is not None:
            entry.quantization = schema.QuantizationParametersT()
            entry.quantization.scale = list(tensor.quant.scales)
            entry.quantization.zeroPoint = list(tensor.quant.zero_points)
            entry.quantization.quantizedDimension = tensor.quant.axis or 0
        self.subgraph.tensors.append(entry)
        return len(self.subgraph.tensors) - 1

    def _buffer(self, data: np.ndarray | None) -> int:
        buffer = schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(data.tobytes(), dtype=np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def constant(
        self, values: Any, dtype: type = np.int32, quant: QuantParams | None = None
    ) -> int:
        data = np.asarray(values, dtype=dtype)
        name = f"constant_{len(self.subgraph.tensors)}"
        return self.add_tensor(Tensor.constant(name, data, quant))

    def index(self, name: str) -> int:
        return self.indices[name]

    def emit(
        self, operator: str, inputs: list[int], outputs: list[int], options: Any = None
    ) -> None:
        code = getattr(schema.BuiltinOperator, operator)
        if code not in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode = code
            entry.deprecatedBuiltinCode = min(code, 127)
            entry.version = 1
            self.codes[code] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(entry)
        op = schema.OperatorT()
        op.opcodeIndex = self.codes[code]
        op.inputs, op.outputs = inputs, outputs
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            op.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            op.builtinOptions = options
        self.subgraph.operators.append(op)

    def emit_node(self, operator: str, node: Node, options: Any = None, *extra: int) -> None:
        inputs = [self.index(name) for name in node.inputs]
        self.emit(operator, [*inputs, *extra], [self.index(node.output)], options)

    def finish(self) -> bytes:
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def padded(self, name: str, padding: Padding, code: int) -> int:
        """An explicit border of ``code`` around an image."""
        source = self.graph.tensors[name]
        (top, bottom), (left, right) = padding
        n, h, w, c = source.shape
        shape = (n, h + top + bottom, w + left + right, c)
        stem = f"padded_{len(self.subgraph.tensors)}"
        result = self.add_tensor(Tensor(stem, shape, source.dtype, source.quant))
        pads = self.constant([(0, 0), *padding, (0, 0)])
        value = self.constant([code], np.int8, source.quant)
        self.emit("PADV2", [self.index(name), pads, value], [result], schema.PadV2OptionsT())
        return result


def _activation(clamp: Clamp) -> int:
    if clamp not in _ACTIVATIONS:
        raise NotExpressibleError(f"the activation {clamp}")
    return _ACTIVATIONS[clamp]


def _padding_kind(
    size: tuple[int, ...], kernel: tuple[int, ...], attrs: Any, dilations: tuple[int, int] = (1, 1)
) -> int | None:
    """SAME, VALID, or None where only an explicit border will do."""
    if attrs.padding == NO_PADDING:
        return VALID
    same = tuple(same_padding(size[i], kernel[i], attrs.strides[i], dilations[i]) for i in (0, 1))
    return SAME if attrs.padding == same else None


def _image_input(
    writer: _Writer, node: Node, kernel: tuple[int, ...], code: int
) -> tuple[int, int]:
    """The tensor index of an operation's image and its padding kind."""
    source = writer.graph.operands(node)[0]
    attrs: Any = node.attrs
    dilations = getattr(attrs, "dilations", (1, 1))
    kind = _padding_kind(source.shape[1:3], kernel, attrs, dilations)
    if kind is not None:
        return writer.index(source.name), kind
    return writer.padded(source.name, attrs.padding, code), VALID


def _conv(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    x, weight = writer.graph.operands(node)[:2]
    image, kind = _image_input(writer, node, weight.shape[1:3], x.params.zero_point)
    depthwise = node.op is Op.DEPTHWISE_CONV_2D
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding = kind
    options.strideH, options.strideW = attrs.strides
    options.dilationHFactor, options.dilationWFactor = attrs.dilations
    options.fusedActivationFunction = _activation(attrs.clamp)
    if depthwise:
        options.depthMultiplier = weight.shape[3] // x.shape[3]
    inputs = [image, *(writer.index(name) for name in node.inputs[1:])]
    operator = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    writer.emit(operator, inputs, [writer.index(node.output)], options)


def _transpose_conv(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    x, weight, *bias = node.inputs
    result = writer.graph.result(node)
    kernel = writer.graph.tensors[weight].shape[1:3]
    before = (attrs.padding[0][0], attrs.padding[1][0])
    same = tuple(
        same_padding(result.shape[1 + i], kernel[i], attrs.strides[i], 1)[0] for i in (0, 1)
    )
    if before not in ((0, 0), same):
        raise NotExpressibleError(f"the padding {attrs.padding}")
    options = schema.TransposeConvOptionsT()
    options.padding = VALID if before == (0, 0) else SAME
    options.strideH, options.strideW = attrs.strides
    options.fusedActivationFunction = _activation(attrs.clamp)
    inputs = [writer.constant(result.shape), writer.index(weight), writer.index(x)]
    inputs += [writer.index(name) for name in bias]
    writer.emit("TRANSPOSE_CONV", inputs, [writer.index(result.name)], options)


def _fully_connected(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _activation(attrs.clamp)
    options.keepNumDims = len(writer.graph.result(node).shape) != 2
    # An absent bias is written as such: TFLite Micro wants the operand there.
    missing = [-1] if len(node.inputs) == 2 else []
    writer.emit_node("FULLY_CONNECTED", node, options, *missing)


def _binary(options_type: type) -> Callable[[_Writer, Node], None]:
    def handler(writer: _Writer, node: Node) -> None:
        attrs: Any = node.attrs
        options = options_type()
        options.fusedActivationFunction = _activation(attrs.clamp)
        writer.emit_node(node.op.value, node, options)

    return handler


def _pool(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    x = writer.graph.operands(node)[0]
    kind = _padding_kind(x.shape[1:3], attrs.kernel, attrs)
    if kind is None and node.op is Op.AVERAGE_POOL:
        raise NotExpressibleError(f"average pooling with the padding {attrs.padding}")
    image, kind = _image_input(writer, node, attrs.kernel, -128)
    options = schema.Pool2DOptionsT()
    options.padding = kind
    options.strideH, options.strideW = attrs.strides
    options.filterHeight, options.filterWidth = attrs.kernel
    options.fusedActivationFunction = _activation(attrs.clamp)
    operator = "MAX_POOL_2D" if node.op is Op.MAX_POOL else "AVERAGE_POOL_2D"
    writer.emit(operator, [image], [writer.index(node.output)], options)


def _mean(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.ReducerOptionsT()
    options.keepDims = attrs.keep_dims
    writer.emit_node("MEAN", node, options, writer.constant(attrs.axes))


def _clamp(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    names = {RELU: "RELU", RELU6: "RELU6"}
    if attrs.clamp not in names:
        raise NotExpressibleError(f"the activation {attrs.clamp} as a layer")
    x, result = writer.graph.operands(node)[0], writer.graph.result(node)
    if attrs.clamp == RELU6 and x.params != result.params:
        raise NotExpressibleError("TFLite Micro's RELU6 does not rescale")
    writer.emit_node(names[attrs.clamp], node)


def _softmax(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.SoftmaxOptionsT()
    options.beta = attrs.beta
    writer.emit_node("SOFTMAX", node, options)


def _leaky_relu(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.LeakyReluOptionsT()
    options.alpha = attrs.alpha
    writer.emit_node("LEAKY_RELU", node, options)


def _concat(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.ConcatenationOptionsT()
    options.axis = attrs.axis
    writer.emit_node("CONCATENATION", node, options)


def _reshape(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.ReshapeOptionsT()
    options.newShape = list(attrs.shape)
    writer.emit_node("RESHAPE", node, options, writer.constant(attrs.shape))


def _transpose(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    writer.emit_node("TRANSPOSE", node, schema.TransposeOptionsT(), writer.constant(attrs.perm))


def _matmul(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    options = schema.BatchMatMulOptionsT()
    options.adjX, options.adjY = attrs.transpose_a, attrs.transpose_b
    writer.emit_node("BATCH_MATMUL", node, options)


def _pad(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    pads = writer.constant(attrs.pads)
    if attrs.value == 0:
        writer.emit_node("PAD", node, schema.PadOptionsT(), pads)
        return
    params = writer.graph.result(node).params
    code = params.quantize(np.array([attrs.value]), DType.INT8)
    value = writer.constant(code, np.int8, params)
    writer.emit_node("PADV2", node, schema.PadV2OptionsT(), pads, value)


def _slice(writer: _Writer, node: Node) -> None:
    attrs: Any = node.attrs
    begin = writer.constant(attrs.begin)
    if all(s == 1 for s in attrs.strides):
        sizes = writer.constant(np.subtract(attrs.end, attrs.begin))
        writer.emit_node("SLICE", node, schema.SliceOptionsT(), begin, sizes)
        return
    end, strides = writer.constant(attrs.end), writer.constant(attrs.strides)
    options = schema.StridedSliceOptionsT()
    writer.emit_node("STRIDED_SLICE", node, options, begin, end, strides)


def _resize(operator: str, options_type: type) -> Callable[[_Writer, Node], None]:
    def handler(writer: _Writer, node: Node) -> None:
        attrs: Any = node.attrs
        options = options_type()
        options.alignCorners = attrs.align_corners
        options.halfPixelCenters = attrs.half_pixel_centers
        writer.emit_node(operator, node, options, writer.constant(attrs.size))

    return handler


def _plain(operator: str, options_type: type | None = None) -> Callable[[_Writer, Node], None]:
    def handler(writer: _Writer, node: Node) -> None:
        writer.emit_node(operator, node, options_type() if options_type else None)

    return handler


_HANDLERS: dict[Op, Callable[[_Writer, Node], None]] = {
    Op.ADD: _binary(schema.AddOptionsT),
    Op.AVERAGE_POOL: _pool,
    Op.CLAMP: _clamp,
    Op.CONCAT: _concat,
    Op.CONV_2D: _conv,
    Op.DEPTHWISE_CONV_2D: _conv,
    Op.FULLY_CONNECTED: _fully_connected,
    Op.HARD_SWISH: _plain("HARD_SWISH", schema.HardSwishOptionsT),
    Op.L2_NORM: _plain("L2_NORMALIZATION", schema.L2NormOptionsT),
    Op.LEAKY_RELU: _leaky_relu,
    Op.MATMUL: _matmul,
    Op.MAX_POOL: _pool,
    Op.MEAN: _mean,
    Op.MUL: _binary(schema.MulOptionsT),
    Op.PAD: _pad,
    Op.QUANTIZE: _plain("QUANTIZE", schema.QuantizeOptionsT),
    Op.RESHAPE: _reshape,
    Op.RESIZE_BILINEAR: _resize("RESIZE_BILINEAR", schema.ResizeBilinearOptionsT),
    Op.RESIZE_NEAREST: _resize("RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT),
    Op.SIGMOID: _plain("LOGISTIC"),
    Op.SLICE: _slice,
    Op.SOFTMAX: _softmax,
    Op.SUB: _binary(schema.SubOptionsT),
    Op.TANH: _plain("TANH"),
    Op.TRANSPOSE: _transpose,
    Op.TRANSPOSE_CONV_2D: _transpose_conv,
}
