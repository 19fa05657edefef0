"""What has no integer form is refused with a sentence that names the layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import ALL_OPS, random_graph, random_inputs
from tinyflow.errors import UnsupportedError
from tinyflow.ir import (
    NO_CLAMP,
    RELU,
    RELU6,
    Clamp,
    DType,
    Graph,
    Op,
    QuantParams,
    Rounding,
    serialize,
)
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.leaky_relu import LeakyReluAttrs
from tinyflow.ir.ops.pad import PadAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.softmax import SoftmaxAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.forms import FLOAT_ONLY, FORMS
from tinyflow.quantize.reference import REFERENCE, run_reference

Q = QuantParams.per_tensor
UNIT = Q(1.0)


def one_scale(size: int, scale: float = 0.01, axis: int = 0) -> QuantParams:
    return QuantParams.per_channel(np.full(size, scale), axis)


def conv(
    out: QuantParams = UNIT,
    weight: QuantParams | None = None,
    bias: np.ndarray | None = None,
    x_type: DType = DType.INT8,
    clamp: Clamp = NO_CLAMP,
) -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 4, 4, 2), x_type, Q(0.05, 3))
    w = b.constant("w", np.full((3, 1, 1, 2), 100, dtype=np.int8), weight or one_scale(3))
    operands = [x, w]
    if bias is not None:
        operands.append(b.constant("b", bias, one_scale(3, 0.0005)))
    y = b.node(Op.CONV_2D, operands, Conv2DAttrs(clamp=clamp), "stem/conv", out)
    b.tensors[y] = replace(b.tensors[y], dtype=DType.INT8)
    return b.build(y)


def unary(op: Op, attrs, scale_in: float, out: QuantParams, shape=(1, 4)) -> Graph:
    b = GraphBuilder()
    x = b.input("x", shape, DType.INT8, Q(scale_in, 0))
    return b.build(b.node(op, [x], attrs, "layer", out))


def binary(op: Op, other: tuple[int, ...], out: QuantParams) -> Graph:
    b = GraphBuilder()
    x = b.input("x", (1, 2, 2, 4), DType.INT8, Q(0.1))
    y = b.input("y", other, DType.INT8, Q(0.1))
    return b.build(b.node(op, [x, y], BinaryAttrs(), "join", out))


def unquantized() -> Graph:
    graph = conv()
    (node,) = graph.nodes
    tensors = {**graph.tensors, node.output: replace(graph.result(node), quant=None)}
    return replace(graph, tensors=tensors)


def fat_fully_connected() -> Graph:
    """Unlike any real layer: 70000 inputs of the largest weight."""
    b = GraphBuilder()
    x = b.input("x", (1, 70000), DType.INT8, Q(0.05, -128))
    w = b.constant("w", np.full((1, 70000), 127, dtype=np.int8), Q(0.01))
    return b.build(b.node(Op.FULLY_CONNECTED, [x, w], FullyConnectedAttrs(), "fat", Q(1.0)))


CASES: dict[str, tuple[Callable[[], Graph], str]] = {
    "tiny output scale": (
        lambda: conv(out=Q(1e-9)),
        r"stem/conv: the output scale 1e-09 is too small for the sums of products",
    ),
    "huge factor": (lambda: conv(out=Q(1e-20)), r"stem/conv: .* too large for fixed-point"),
    "weight zero point": (
        lambda: conv(weight=Q(0.01, 4)),
        r"stem/conv: its weight has the zero points \[4\]",
    ),
    "weight axis": (
        lambda: conv(weight=one_scale(2, axis=3)),
        r"stem/conv: its weight has scales along axis 3, not 0",
    ),
    "weight scales": (
        lambda: conv(weight=one_scale(2)),
        r"stem/conv: its weight has 2 scales for 3 channels",
    ),
    "bias type": (
        lambda: conv(bias=np.ones(3, dtype=np.int8)),
        r"stem/conv: its bias 'b' must be an int32 constant",
    ),
    "bias range": (
        lambda: conv(bias=np.full(3, 2**31 - 1, dtype=np.int32)),
        r"stem/conv: its sums of products can leave 32 bits",
    ),
    "sums": (fat_fully_connected, r"fat: its sums of products can leave 32 bits"),
    "uint8": (
        lambda: conv(x_type=DType.UINT8),
        r"stem/conv: its tensor 'x' is uint8, int8 is possible",
    ),
    "not quantized": (unquantized, r"stem/conv: its tensor 'stem/conv:0' is not quantized"),
    "pool scales": (
        lambda: unary(Op.MAX_POOL, PoolAttrs((1, 1)), 0.1, Q(0.2), (1, 2, 2, 1)),
        r"layer: MAX_POOL keeps codes as they are, but its input 'x' has scale 0.1 and zero "
        r"point 0, its output 0.2 and 0",
    ),
    "reshape zero points": (
        lambda: unary(Op.RESHAPE, ReshapeAttrs((1, 2, 2)), 0.1, Q(0.1, 1)),
        r"layer: RESHAPE keeps codes",
    ),
    "softmax output": (
        lambda: unary(Op.SOFTMAX, SoftmaxAttrs(), 0.1, Q(0.1)),
        r"layer: its output has scale 0.1 and zero point 0, it must have 0.00390625 and -128",
    ),
    "softmax size": (
        lambda: unary(Op.SOFTMAX, SoftmaxAttrs(), 0.1, Q(1 / 256, -128), (1, 4096)),
        r"layer: a softmax over 4096 elements, 4095 are possible",
    ),
    "slope": (
        lambda: unary(Op.LEAKY_RELU, LeakyReluAttrs(-0.1), 0.1, Q(0.1)),
        r"layer: its slope -0.1 is negative",
    ),
    "hard swish": (
        lambda: unary(Op.HARD_SWISH, None, 1.0, Q(0.001)),
        r"layer: its output scale 0.001 is too small",
    ),
    "add scale": (
        lambda: binary(Op.ADD, (1, 2, 2, 4), Q(1e-8)),
        r"join: its output scale 1e-08 is too small for inputs of scale 0.1",
    ),
    "mul factor": (
        lambda: binary(Op.MUL, (1, 2, 2, 4), Q(1e-8)),
        r"join: .* do not fit in 32 bits",
    ),
    "ranks": (
        lambda: binary(Op.ADD, (1, 4), Q(0.1)),
        r"join: its operand 'y' has rank 2, the result 4",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(case):
    build, sentence = CASES[case]
    with pytest.raises(UnsupportedError, match=sentence):
        attach_integers(build())


def test_every_obstacle_is_named_at_once():
    b = GraphBuilder()
    x = b.input("x", (1, 4), DType.INT8, Q(0.1))
    y = b.node(Op.RESHAPE, [x], ReshapeAttrs((1, 2, 2)), "first", Q(0.2))
    z = b.node(Op.LEAKY_RELU, [y], LeakyReluAttrs(-1.0), "second", Q(0.2))
    with pytest.raises(UnsupportedError) as error:
        attach_integers(b.build(z))
    assert [o.layer for o in error.value.obstacles] == ["first", "second"]


POST_PROCESSING = {Op.ARGMAX, Op.DETECTION}
"""Of other types than int8; tests/codegen/test_postprocess.py."""


def test_every_operation_has_a_form_and_a_reference_or_a_reason_why_not():
    assert set(FORMS) == set(REFERENCE) == set(Op) - set(FLOAT_ONLY)
    assert set(FORMS) == set(ALL_OPS) | POST_PROCESSING


@pytest.mark.parametrize(
    ("clamp", "zero", "expected"),
    [
        (NO_CLAMP, 5, (-128, 127)),
        (RELU, 5, (5, 127)),
        (RELU6, 5, (5, 65)),
        (RELU6, 100, (100, 127)),
        (Clamp(-0.25, 0.25), 0, (-3, 3)),  # 2.5 codes: half away from zero
        (Clamp(-100.0, -50.0), 0, (-128, -128)),
    ],
)
def test_activation_bounds_in_codes(clamp, zero, expected):
    (node,) = attach_integers(conv(out=Q(0.1, zero), clamp=clamp)).nodes
    assert (node.integer.lo, node.integer.hi) == expected


def test_padding_with_a_value_uses_its_code():
    graph = unary(Op.PAD, PadAttrs(((0, 0), (1, 0)), value=0.55), 0.1, Q(0.1))
    graph = attach_integers(graph)
    assert graph.nodes[0].integer.value == 6
    (y,) = run_reference(graph, {"x": np.zeros((2, 4), dtype=np.int8)}).values()
    assert y.tolist() == [[6, 0, 0, 0, 0]] * 2


def test_to_uint8_and_back():
    b = GraphBuilder()
    x = b.input("x", (1, 256), DType.UINT8, Q(1.0, 0))
    y = b.node(Op.QUANTIZE, [x], None, "in", Q(1.0, -128))
    b.tensors[y] = replace(b.tensors[y], dtype=DType.INT8)
    z = b.node(Op.QUANTIZE, [y], None, "out", Q(1.0, 0))
    b.tensors[z] = replace(b.tensors[z], dtype=DType.UINT8)
    graph = attach_integers(b.build(y, z))
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256)
    result = run_reference(graph, {"x": codes})
    assert result[y].dtype == np.int8 and result[z].dtype == np.uint8
    np.testing.assert_array_equal(result[y], codes.astype(np.int16) - 128)
    np.testing.assert_array_equal(result[z], codes)


@pytest.mark.parametrize("rounding", Rounding, ids=lambda r: r.value)
def test_forms_survive_the_file_format(rounding):
    for seed, op in enumerate(ALL_OPS):
        graph = random_graph(seed, (op,), 2, rounding)
        stored = serialize.from_bytes(serialize.to_bytes(graph), "memory")
        inputs = random_inputs(graph, 3)
        before, after = run_reference(graph, inputs), run_reference(stored, inputs)
        for name in graph.outputs:
            np.testing.assert_array_equal(before[name], after[name])
        assert serialize.to_bytes(stored) == serialize.to_bytes(graph)
