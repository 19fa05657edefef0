"""Grows random quantized nodes: one grower per operation, all attributes varied."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.support.draw import Draw
from tinyflow.ir import (
    NO_CLAMP,
    OPS,
    RELU,
    RELU6,
    Attrs,
    Clamp,
    DType,
    Graph,
    Node,
    Op,
    QuantParams,
    Shape,
    Tensor,
    check_graph,
)
from tinyflow.ir.ops.attention import AttentionAttrs
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.channel_gate import ChannelGateAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.cross_covariance import CrossCovarianceAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.function import Elementary, FunctionAttrs, FunctionStep, Value
from tinyflow.ir.ops.gelu import GeluAttrs
from tinyflow.ir.ops.hard_sigmoid import HardSigmoidAttrs
from tinyflow.ir.ops.l2_norm import L2NormAttrs
from tinyflow.ir.ops.layer_norm import LayerNormAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.power import PowerAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.ir.ops.slice import SliceAttrs
from tinyflow.ir.ops.softmax import WIDE_OUTPUT, SoftmaxAttrs
from tinyflow.ir.ops.spatial import Padding, Pair, extent, same_padding
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs

CLAMPS = (NO_CLAMP, NO_CLAMP, RELU, RELU, RELU6, Clamp(-1.0, 1.0), Clamp(-0.5, 0.75))
ZERO_POINTS = (0, -128, 127, -1, 37, -90)
MOST_SIZE = 7
MOST_CHANNELS = 9


class Growth:
    """A graph in the making. Growers take an activation that is there, or ask for an input."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []

    def params(self, near: float | None = None) -> QuantParams:
        """Random ones; with ``near``, a scale within a factor of 3 of it, more rarely 20."""
        if near is None:
            near = 0.05
        spread = self.draw.choice((3.0, 3.0, 20.0))
        scale = near * spread ** (self.draw.integer(-8, 8) / 8) * 1.0321
        return QuantParams.per_tensor(scale, self.draw.choice(ZERO_POINTS))

    def input(
        self, shape: Shape, params: QuantParams | None = None, dtype: DType = DType.INT8
    ) -> Tensor:
        name = f"input_{len(self.inputs)}"
        tensor = Tensor(name, shape, dtype, params or self.params())
        self.tensors[name] = tensor
        self.inputs.append(name)
        return tensor

    def activation(self, ranks: Sequence[int] = (4, 3, 2)) -> Tensor:
        """An int8 activation of one of the ranks: mostly the latest, else any, else an input."""
        there = [
            t
            for t in self.tensors.values()
            if not t.is_constant and len(t.shape) in ranks and t.dtype is DType.INT8
        ]
        kind = self.draw.choice(("latest", "latest", "latest", "any", "new"))
        if not there or kind == "new":
            return self.input(self._shape(self.draw.choice(ranks)))
        return there[-1] if kind == "latest" else self.draw.choice(there)

    def _shape(self, rank: int) -> Shape:
        sizes = [self.draw.integer(1, MOST_SIZE) for _ in range(rank - 2)]
        return (1, *sizes, self.draw.integer(1, MOST_CHANNELS))

    def constant(self, data: np.ndarray, params: QuantParams) -> Tensor:
        tensor = Tensor.constant(f"constant_{len(self.tensors)}", data, params)
        self.tensors[tensor.name] = tensor
        return tensor

    def real(self, values: np.ndarray) -> Tensor:
        """A constant that only goes into its node's integers."""
        tensor = Tensor.constant(f"constant_{len(self.tensors)}", values.astype(np.float32))
        self.tensors[tensor.name] = tensor
        return tensor

    def codes(self, shape: Shape) -> np.ndarray:
        return self.draw.rng.integers(-128, 128, shape, dtype=np.int8)

    def node(
        self,
        op: Op,
        operands: Sequence[Tensor],
        attrs: Attrs,
        params: QuantParams,
        dtype: DType = DType.INT8,
    ) -> Tensor:
        name = f"{op.value.lower()}_{len(self.nodes)}"
        shape = OPS[op].infer(attrs, *(t.shape for t in operands))
        result = Tensor(f"{name}:0", shape, dtype, params)
        self.tensors[result.name] = result
        names = tuple(t.name for t in operands)
        self.nodes.append(Node(name, op, names, (result.name,), attrs, (name,)))
        return result

    def keep(self, op: Op, x: Tensor, attrs: Attrs) -> Tensor:
        """A node whose output has its input's quantization."""
        return self.node(op, [x], attrs, x.params)

    def clamp(self) -> Clamp:
        return self.draw.choice(CLAMPS)

    def pair(self, lo: int, hi: int) -> Pair:
        return (self.draw.integer(lo, hi), self.draw.integer(lo, hi))

    def build(self) -> Graph:
        read = {name for node in self.nodes for name in node.inputs}
        made = [node.output for node in self.nodes]
        outputs = [name for name in made if name not in read]
        inner = [name for name in made if name in read]
        if inner and self.draw.choice((False, False, True)):
            outputs.append(self.draw.choice(inner))
        graph = Graph("random", tuple(self.nodes), self.tensors, tuple(self.inputs), tuple(outputs))
        check_graph(graph, "growing a random graph")
        return graph


def _image(growth: Growth) -> Tensor:
    return growth.activation((4,))


def _padding(growth: Growth, x: Tensor, kernel: Pair, strides: Pair, dilations: Pair) -> Padding:
    """Valid, same, or anything below the kernel's size, such that at least one pixel leaves."""
    kind = growth.draw.choice(("same", "valid", "any"))
    sides: list[Pair] = []
    for i in (0, 1):
        size, k, s, d = x.shape[1 + i], kernel[i], strides[i], dilations[i]
        reach = (k - 1) * d
        side = (0, 0)
        if kind == "same":
            side = same_padding(size, k, s, d)
        elif kind == "any":
            side = (growth.draw.integer(0, reach), growth.draw.integer(0, reach))
        if extent(size, k, s, d, side) < 1:
            side = (reach, reach)
        sides.append(side)
    return (sides[0], sides[1])


def _weights(
    growth: Growth, x: Tensor, shape: Shape, axis: int, per_tensor: bool
) -> tuple[list[Tensor], QuantParams]:
    """Weight and perhaps bias, and output parameters that let the sums spread over the codes."""
    rng, draw = growth.draw.rng, growth.draw
    channels = shape[axis]
    data = rng.integers(-127, 128, shape, dtype=np.int8)
    if draw.choice((False, False, True)):
        data = rng.choice(np.array([-127, 127, 0], dtype=np.int8), shape)
    scales = 0.01 * 2.0 ** rng.uniform(-2, 2, channels)
    quant = QuantParams.per_channel(scales, axis)
    if per_tensor:
        quant = QuantParams.per_tensor(float(scales[0]))
    operands = [growth.constant(data, quant)]
    taps = data.size // channels
    if draw.choice((True, True, False)):
        bias = rng.integers(-(2**13), 2**13, channels).astype(np.int32)
        params = [x.params.scale * s for s in quant.scales]
        bias_quant = (
            QuantParams.per_tensor(params[0])
            if per_tensor
            else QuantParams.per_channel(np.array(params), 0)
        )
        operands.append(growth.constant(bias, bias_quant))
    spread = x.params.scale * 0.01 * 74 * 74 * np.sqrt(taps)
    return operands, growth.params(float(spread) / 60)


def _conv(growth: Growth) -> None:
    x, draw = _image(growth), growth.draw
    groups = draw.choice([g for g in range(1, x.shape[3] + 1) if x.shape[3] % g == 0])
    kernel, strides, dilations = growth.pair(1, 3), growth.pair(1, 3), growth.pair(1, 2)
    padding = _padding(growth, x, kernel, strides, dilations)
    channels = groups * draw.integer(1, max(MOST_CHANNELS // groups, 1))
    shape = (channels, *kernel, x.shape[3] // groups)
    operands, params = _weights(growth, x, shape, 0, draw.choice((False, False, True)))
    attrs = Conv2DAttrs(strides, padding, dilations, groups, growth.clamp())
    growth.node(Op.CONV_2D, [x, *operands], attrs, params)


def _depthwise(growth: Growth) -> None:
    x, draw = _image(growth), growth.draw
    kernel, strides, dilations = growth.pair(1, 3), growth.pair(1, 3), growth.pair(1, 2)
    padding = _padding(growth, x, kernel, strides, dilations)
    shape = (1, *kernel, x.shape[3] * draw.integer(1, 2))
    operands, params = _weights(growth, x, shape, 3, draw.choice((False, False, True)))
    attrs = DepthwiseConv2DAttrs(strides, padding, dilations, growth.clamp())
    growth.node(Op.DEPTHWISE_CONV_2D, [x, *operands], attrs, params)


def _transpose_conv(growth: Growth) -> None:
    x, draw = _image(growth), growth.draw
    kernel, strides = growth.pair(1, 3), growth.pair(1, 3)
    sides, extra = [], []
    for i in (0, 1):
        more = draw.integer(0, strides[i] - 1)
        full = (x.shape[1 + i] - 1) * strides[i] + kernel[i] + more
        before = draw.choice((0, 0, draw.integer(0, min(kernel[i] - 1, full - 1))))
        after = draw.integer(0, min(kernel[i] - 1, full - 1 - before))
        sides.append((before, after))
        extra.append(more)
    shape = (draw.integer(1, MOST_CHANNELS), *kernel, x.shape[3])
    operands, params = _weights(growth, x, shape, 0, draw.choice((False, False, True)))
    attrs = TransposeConv2DAttrs(
        strides, (sides[0], sides[1]), (extra[0], extra[1]), growth.clamp()
    )
    growth.node(Op.TRANSPOSE_CONV_2D, [x, *operands], attrs, params)


def _fully_connected(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    shape = (draw.integer(1, MOST_CHANNELS), x.shape[-1])
    operands, params = _weights(growth, x, shape, 0, draw.choice((False, False, True)))
    growth.node(Op.FULLY_CONNECTED, [x, *operands], FullyConnectedAttrs(growth.clamp()), params)


def _partner(growth: Growth, x: Tensor) -> Tensor:
    """A second operand for ``x``: an activation, itself, a new input or a constant."""
    draw = growth.draw
    others = [t for t in growth.tensors.values() if not t.is_constant and t.shape == x.shape]
    others = [t for t in others if t.dtype is DType.INT8]
    kind = draw.choice(("there", "there", "new", "broadcast", "constant"))
    if kind == "there":
        return draw.choice(others)
    if kind == "new":
        return growth.input(x.shape)
    shape = tuple(draw.choice((d, d, 1)) for d in x.shape)
    if kind == "broadcast":
        return growth.input(shape)
    shape = draw.choice((shape, x.shape[-1:], (1,), x.shape))
    return growth.constant(growth.codes(shape), growth.params())


def _binary(op: Op) -> Callable[[Growth], None]:
    def grow(growth: Growth) -> None:
        x = growth.activation()
        operands = [x, _partner(growth, x)]
        if growth.draw.choice((False, False, True)):
            operands.reverse()
        scales = [t.params.scale for t in operands]
        near = scales[0] * scales[1] * 60 if op is Op.MUL else max(scales)
        growth.node(op, operands, BinaryAttrs(growth.clamp()), growth.params(near))

    return grow


def _extremum(op: Op) -> Callable[[Growth], None]:
    def grow(growth: Growth) -> None:
        x = growth.activation()
        y = _partner(growth, x)
        if y.is_constant:
            y = growth.tensors[y.name] = Tensor.constant(y.name, y.data, x.params)
        elif y.params != x.params:
            y = growth.node(Op.QUANTIZE, [y], Attrs(), x.params)
        operands = [x, y]
        if growth.draw.choice((False, True)):
            operands.reverse()
        growth.node(op, operands, Attrs(), x.params)

    return grow


def _prelu(growth: Growth) -> None:
    """Slopes for each channel, for each element, or one; above and below zero."""
    x, draw = growth.activation(), growth.draw
    shape = draw.choice((x.shape[-1:], x.shape, (1,), tuple(draw.choice((d, 1)) for d in x.shape)))
    slopes = growth.constant(growth.codes(shape), growth.params(1 / 128))
    growth.node(Op.PRELU, [x, slopes], Attrs(), growth.params(x.params.scale))


def _pool(op: Op) -> Callable[[Growth], None]:
    def grow(growth: Growth) -> None:
        x, draw = _image(growth), growth.draw
        kernel = (
            draw.integer(1, min(4, x.shape[1] + 1)),
            draw.integer(1, min(4, x.shape[2] + 1)),
        )
        strides = growth.pair(1, 3)
        padding = _padding(growth, x, kernel, strides, (1, 1))
        # No window may lie in the border alone: drop what the last window does not need.
        sides = []
        for i in (0, 1):
            before, after = padding[i]
            while (extent(x.shape[1 + i], kernel[i], strides[i], 1, (before, after)) - 1) * strides[
                i
            ] - before >= x.shape[1 + i]:
                after -= 1
            sides.append((before, after))
        attrs = PoolAttrs(kernel, strides, (sides[0], sides[1]), growth.clamp())
        growth.keep(op, x, attrs)

    return grow


def _matmul(growth: Growth) -> None:
    """By itself, by an activation that fits, or by a new input."""
    a, draw = growth.activation((3, 4)), growth.draw
    transpose_a, transpose_b = draw.choice((False, False, True)), draw.choice((False, True))
    k = a.shape[-2 if transpose_a else -1]
    there = [
        t
        for t in growth.tensors.values()
        if not t.is_constant
        and t.dtype is DType.INT8
        and t.shape[:-2] == a.shape[:-2]
        and len(t.shape) == len(a.shape)
        and t.shape[-1 if transpose_b else -2] == k
    ]
    if there and draw.choice((False, True)):
        b = draw.choice(there)
    else:
        p = draw.integer(1, MOST_CHANNELS)
        b = growth.input((*a.shape[:-2], *((p, k) if transpose_b else (k, p))))
    near = a.params.scale * b.params.scale * 74 * 74 * float(np.sqrt(k)) / 60
    attrs = MatmulAttrs(transpose_a, transpose_b)
    growth.node(Op.MATMUL, [a, b], attrs, growth.params(near))


def _attention(growth: Growth) -> None:
    """To itself, or to new or present keys and values of another number of tokens."""
    q, draw = growth.activation((3, 4)), growth.draw
    heads = draw.choice([h for h in range(1, q.shape[-1] + 1) if q.shape[-1] % h == 0])
    k, v = q, q
    if draw.choice((False, True, True)):
        there = [t for t in growth.tensors.values() if len(t.shape) in (3, 4)]
        there = [t for t in there if not t.is_constant and t.dtype is DType.INT8]
        fitting = [t for t in there if t.shape[-1] == q.shape[-1]]
        k = draw.choice([growth.input((1, draw.integer(1, 9), q.shape[-1])), *fitting])
        same = [t for t in there if t.shape[1:-1] == k.shape[1:-1] and t.shape[-1] % heads == 0]
        columns = heads * draw.integer(1, max(MOST_CHANNELS // heads, 1))
        v = draw.choice([growth.input((*k.shape[:-1], columns)), *same])
    elif heads > 1:
        v = growth.input(q.shape)
    scale = draw.choice((0.0, 1.0, 8.0)) / float(np.sqrt(q.shape[-1] // heads))
    params = growth.params(v.params.scale / 2)
    growth.node(Op.ATTENTION, [q, k, v], AttentionAttrs(heads, scale), params)


def _cross_covariance(growth: Growth) -> None:
    """Of one activation, or of some that there are or are new."""
    q, draw = growth.activation((3, 4)), growth.draw
    heads = draw.choice([h for h in range(1, q.shape[-1] + 1) if q.shape[-1] % h == 0])
    there = [t for t in growth.tensors.values() if t.shape == q.shape and t.dtype is DType.INT8]
    there = [t for t in there if not t.is_constant]
    k, v = (draw.choice([growth.input(q.shape), *there]) for _ in range(2))
    temperature = growth.real(draw.rng.choice([0.0, -2.0, 1.0, 5.0, 100.0], heads))
    attrs = CrossCovarianceAttrs(heads, draw.choice((1e-12, 0.5)))
    params = growth.params(v.params.scale)
    growth.node(Op.CROSS_COVARIANCE, [q, k, v, temperature], attrs, params)


def _mean(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    axes = tuple(a for a in range(1, len(x.shape)) if draw.choice((True, False)))
    if len(x.shape) == 4 and draw.choice((True, False)):
        axes = (1, 2)
    attrs = MeanAttrs(axes or (1,), draw.choice((False, True)))
    growth.node(Op.MEAN, [x], attrs, growth.params(x.params.scale / 3))


def _softmax(growth: Growth) -> None:
    """To int8, or to an int16 tensor that nothing reads."""
    attrs = SoftmaxAttrs(growth.draw.choice((1.0, 0.5, 2.0)))
    params = OPS[Op.SOFTMAX].output_params
    assert params is not None
    x = growth.activation()
    if growth.draw.choice((False, False, True)):
        growth.node(Op.SOFTMAX, [x], attrs, WIDE_OUTPUT, DType.INT16)
    else:
        growth.node(Op.SOFTMAX, [x], attrs, params)


def _unary(op: Op, attributes: Callable[[Growth], Attrs]) -> Callable[[Growth], None]:
    def grow(growth: Growth) -> None:
        x = growth.activation()
        params = OPS[op].output_params or growth.params(x.params.scale)
        if OPS[op].output_params is None and growth.draw.choice((False, False, True)):
            params = x.params
        growth.node(op, [x], attributes(growth), params)

    return grow


def _quantize(growth: Growth) -> None:
    """Between int8 scales, from a uint8 input, or to a uint8 tensor that nothing reads."""
    kind = growth.draw.choice(("int8", "int8", "from uint8", "to uint8"))
    if kind == "from uint8":
        zero = growth.draw.choice((0, 128, 255))
        params = QuantParams.per_tensor(growth.params().scale, zero)
        x = growth.input((1, 4, 3, 3), params, DType.UINT8)
        growth.node(Op.QUANTIZE, [x], Attrs(), growth.params(params.scale))
        return
    x = growth.activation()
    params = growth.params(x.params.scale)
    if kind == "to uint8":
        params = QuantParams.per_tensor(params.scale, params.zero_point + 128)
        growth.node(Op.QUANTIZE, [x], Attrs(), params, DType.UINT8)
        return
    growth.node(Op.QUANTIZE, [x], Attrs(), params)


def _concat(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    axis = draw.integer(1, len(x.shape) - 1)
    parts = [x]
    for _ in range(draw.integer(0, 2)):
        there = [
            t
            for t in growth.tensors.values()
            if not t.is_constant
            and t.dtype is DType.INT8
            and len(t.shape) == len(x.shape)
            and all(t.shape[i] == x.shape[i] for i in range(len(x.shape)) if i != axis)
        ]
        shape = tuple(draw.integer(1, 5) if i == axis else d for i, d in enumerate(x.shape))
        kind = draw.choice(("there", "there", "new", "constant"))
        if kind == "new":
            parts.append(growth.input(shape, x.params))
        elif kind == "constant":
            parts.append(growth.constant(growth.codes(shape), x.params))
        else:
            other = draw.choice(there)
            if other.params != x.params:
                other = growth.node(Op.QUANTIZE, [other], Attrs(), x.params)
            parts.append(other)
    growth.node(Op.CONCAT, parts, ConcatAttrs(axis), x.params)


def _pad(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    pads = ((0, 0), *(growth.pair(0, 2) for _ in x.shape[1:]))
    value = draw.choice((0.0, 0.0, 1.0, -0.37))
    growth.keep(Op.PAD, x, PadAttrs(pads, value))


def _reshape(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    rest = x.elements
    shape = [1]
    for _ in range(draw.integer(0, 2)):
        shape.append(draw.choice([d for d in range(1, rest + 1) if rest % d == 0]))
        rest //= shape[-1]
    growth.keep(Op.RESHAPE, x, ReshapeAttrs((*shape, rest)))


def _resize(op: Op) -> Callable[[Growth], None]:
    def grow(growth: Growth) -> None:
        x, draw = _image(growth), growth.draw
        align, half = draw.choice(((False, False), (True, False), (False, True)))
        growth.keep(op, x, ResizeAttrs(growth.pair(1, 9), align, half))

    return grow


def _slice(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    begin, end, strides = [0], [1], [1]
    for size in x.shape[1:]:
        begin.append(draw.integer(0, size - 1))
        end.append(draw.integer(begin[-1] + 1, size))
        strides.append(draw.choice((1, 1, 2)))
    growth.keep(Op.SLICE, x, SliceAttrs(tuple(begin), tuple(end), tuple(strides)))


def _transpose(growth: Growth) -> None:
    x, draw = growth.activation(), growth.draw
    rest = list(range(1, len(x.shape)))
    perm = [0]
    while rest:
        perm.append(rest.pop(draw.integer(0, len(rest) - 1)))
    growth.keep(Op.TRANSPOSE, x, TransposeAttrs(tuple(perm)))


def _plain(op: Op) -> Callable[[Growth], None]:
    return _unary(op, lambda growth: Attrs())


FUNCTIONS = (
    (FunctionStep(Elementary.MAX, (Value(0), Value(constant=0.25))),),
    (
        FunctionStep(Elementary.ABS, (Value(0),)),
        FunctionStep(Elementary.ADD, (Value(1), Value(constant=1.0))),
        FunctionStep(Elementary.DIV, (Value(0), Value(2))),
    ),
    (
        FunctionStep(Elementary.EXP, (Value(0),)),
        FunctionStep(Elementary.SUB, (Value(1), Value(constant=1.0))),
        FunctionStep(Elementary.MIN, (Value(2), Value(0))),
    ),
)
"""At least 1/4; softsign; ELU where it is below x."""


def _layer_norm(growth: Growth) -> None:
    """Sometimes with parameters, alike for all channels or not."""
    x, rng = growth.activation(), growth.draw.rng
    channels = x.shape[-1]
    spread = growth.draw.choice((None, None, 0.0, 1.0))
    operands, largest = [x], 1.0
    if spread is not None:
        gamma = np.exp(rng.normal(0, spread, channels)) * rng.choice([-1, 1, 1], channels)
        operands.append(growth.real(gamma if spread else np.full(channels, 0.7)))
        largest = float(np.abs(gamma).max())
        if growth.draw.choice((False, True, True)):
            operands.append(growth.real(rng.normal(0, largest, channels)))
    attrs = LayerNormAttrs(growth.draw.choice((1e-5, 1e-12, 1e-3)))
    growth.node(Op.LAYER_NORM, operands, attrs, growth.params(largest * 3 / 128))


def _l2_norm(growth: Growth) -> None:
    params = OPS[Op.L2_NORM].output_params
    assert params is not None
    growth.node(Op.L2_NORM, [growth.activation()], L2NormAttrs(), params)


def _channel_gate(growth: Growth) -> None:
    """The gate is an input, or a map of one pixel that is there."""
    x, draw, rng = growth.activation(), growth.draw, growth.draw.rng
    channels = x.shape[-1]
    there = [
        t
        for t in growth.tensors.values()
        if t.dtype is DType.INT8 and t.shape in ((1, channels), (1, 1, 1, channels))
    ]
    there = [t for t in there if not t.is_constant and t is not x]
    if there and draw.choice((False, True)):
        gate = draw.choice(there)
    else:
        shape = draw.choice(((1, channels), (1, 1, 1, channels)))
        params = draw.choice((QuantParams.per_tensor(1 / 256, -128), growth.params()))
        gate = growth.input(shape, params)
    scale = growth.real(rng.normal(0, 1, channels) * draw.choice((0.1, 1.0)))
    shift = growth.real(rng.normal(0, 74 * x.params.scale, channels))
    residual = draw.choice((False, True))
    near = x.params.scale * (residual + 128 * gate.params.scale)
    attrs = ChannelGateAttrs(residual)
    growth.node(Op.CHANNEL_GATE, [x, gate, scale, shift], attrs, growth.params(near))


GROWERS: dict[Op, Callable[[Growth], None]] = {
    Op.ABS: _plain(Op.ABS),
    Op.ADD: _binary(Op.ADD),
    Op.ATTENTION: _attention,
    Op.AVERAGE_POOL: _pool(Op.AVERAGE_POOL),
    Op.CHANNEL_GATE: _channel_gate,
    Op.CLAMP: _unary(
        Op.CLAMP, lambda growth: ClampAttrs(growth.draw.choice((RELU, growth.clamp())))
    ),
    Op.CONCAT: _concat,
    Op.CONV_2D: _conv,
    Op.CROSS_COVARIANCE: _cross_covariance,
    Op.DEPTHWISE_CONV_2D: _depthwise,
    Op.ERF: _plain(Op.ERF),
    Op.EXP: _plain(Op.EXP),
    Op.FULLY_CONNECTED: _fully_connected,
    Op.FUNCTION: _unary(Op.FUNCTION, lambda growth: FunctionAttrs(growth.draw.choice(FUNCTIONS))),
    Op.GELU: _unary(Op.GELU, lambda growth: GeluAttrs(growth.draw.choice((False, True)))),
    Op.HARD_SIGMOID: _unary(
        Op.HARD_SIGMOID,
        lambda growth: HardSigmoidAttrs(*growth.draw.choice(((1 / 6, 0.5), (0.2, 0.5)))),
    ),
    Op.HARD_SWISH: _plain(Op.HARD_SWISH),
    Op.L2_NORM: _l2_norm,
    Op.LAYER_NORM: _layer_norm,
    Op.LEAKY_RELU: _unary(
        Op.LEAKY_RELU, lambda growth: LeakyReluAttrs(growth.draw.choice((0.01, 0.3, 1.5)))
    ),
    Op.LOG: _plain(Op.LOG),
    Op.MATMUL: _matmul,
    Op.MAXIMUM: _extremum(Op.MAXIMUM),
    Op.MAX_POOL: _pool(Op.MAX_POOL),
    Op.MEAN: _mean,
    Op.MINIMUM: _extremum(Op.MINIMUM),
    Op.MUL: _binary(Op.MUL),
    Op.PAD: _pad,
    Op.POWER: _unary(
        Op.POWER, lambda growth: PowerAttrs(growth.draw.choice((0.5, 2.0, 3.0, -1.0, -0.5)))
    ),
    Op.PRELU: _prelu,
    Op.QUANTIZE: _quantize,
    Op.RESHAPE: _reshape,
    Op.RESIZE_BILINEAR: _resize(Op.RESIZE_BILINEAR),
    Op.RESIZE_NEAREST: _resize(Op.RESIZE_NEAREST),
    Op.SIGMOID: _plain(Op.SIGMOID),
    Op.SLICE: _slice,
    Op.SOFTMAX: _softmax,
    Op.SUB: _binary(Op.SUB),
    Op.TANH: _plain(Op.TANH),
    Op.TRANSPOSE: _transpose,
    Op.TRANSPOSE_CONV_2D: _transpose_conv,
}
