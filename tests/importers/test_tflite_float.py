"""Float .tflite operators compute what LiteRT computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.paths import shared
from tests.support.tflite_builder import TfliteBuilder, run_litert, with_float_weights
from tinyflow.importers.tflite import from_bytes
from tinyflow.ir import DType, Graph, Op, execute
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.passes import run_passes

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
TOLERANCE = 1e-5

Built = tuple[TfliteBuilder, list[int], list[int]]


def _check(b: TfliteBuilder, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
    """The imported graph, before and after passes, agrees with LiteRT on random inputs."""
    model = b.build(inputs, outputs)
    graph = from_bytes(model, "model")
    rng = np.random.default_rng(7)
    arrays = [
        (2 * rng.normal(size=graph.tensors[name].shape)).astype(np.float32) for name in graph.inputs
    ]
    expected = run_litert(model, arrays)
    for candidate in (graph, run_passes(graph)):
        actual = execute(candidate, dict(zip(graph.inputs, arrays, strict=True)))
        for name, wanted in zip(candidate.outputs, expected, strict=True):
            assert actual[name].shape == wanted.shape
            scale = max(float(np.max(np.abs(wanted))), 1e-30)
            assert np.max(np.abs(actual[name] - wanted)) / scale < TOLERANCE, name
    return graph


def _one(
    name: str,
    x: Sequence[int],
    y: Sequence[int],
    constants: Sequence[Any] = (),
    options: str | None = None,
    **fields: Any,
) -> Graph:
    """A model of one operator whose first input is an activation and whose others are given."""
    b = TfliteBuilder()
    source, result = b.tensor("x", x), b.tensor("y", y)
    rest = [b.constant(f"c{i}", c) for i, c in enumerate(constants)]
    b.op(name, [source, *rest], [result], options, **fields)
    return _check(b, [source], [result])


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("scheme", [SAME, VALID])
@pytest.mark.parametrize("size", [(7, 8), (8, 5)])
@pytest.mark.parametrize(
    ("kernel", "strides", "dilations"),
    [
        ((3, 3), (1, 1), (1, 1)),
        ((3, 2), (2, 1), (1, 1)),
        ((2, 3), (1, 1), (3, 2)),
        ((1, 1), (2, 2), (1, 1)),
        ((5, 4), (3, 2), (1, 1)),
    ],
)
def test_conv_2d(
    scheme: int,
    size: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
) -> None:
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    out = [
        -(-s // t) if scheme == SAME else (s - r) // t + 1
        for s, t, r in zip(size, strides, reach, strict=True)
    ]
    options = {
        "padding": scheme,
        "strideH": strides[0],
        "strideW": strides[1],
        "dilationHFactor": dilations[0],
        "dilationWFactor": dilations[1],
        "fusedActivationFunction": RELU6,
    }
    for operator, weight, channels, table in (
        ("CONV_2D", (4, *kernel, 3), 4, "Conv2D"),
        ("DEPTHWISE_CONV_2D", (1, *kernel, 6), 6, "DepthwiseConv2D"),
    ):
        constants = [_normal(*weight), _normal(channels)]
        extra = {"depthMultiplier": 2} if table == "DepthwiseConv2D" else {}
        y = (1, *out, channels)
        _one(operator, (1, *size, 3), y, constants, table, **options, **extra)


def test_grouped_conv_2d() -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 5, 5, 4)), b.tensor("y", (1, 5, 5, 6))
    b.op(
        "CONV_2D",
        [x, b.random("w", (6, 3, 3, 2)), b.random("b", (6,))],
        [y],
        "Conv2D",
        padding=SAME,
        strideH=1,
        strideW=1,
        dilationHFactor=1,
        dilationWFactor=1,
    )
    (node,) = _check(b, [x], [y]).nodes
    assert isinstance(node.attrs, Conv2DAttrs)
    assert node.attrs.groups == 2


@pytest.mark.parametrize("adj_x", [False, True])
@pytest.mark.parametrize("adj_y", [False, True])
@pytest.mark.parametrize("heads", [(), (3,)])
@pytest.mark.parametrize("constant", [False, True])
def test_batch_matmul(adj_x: bool, adj_y: bool, heads: tuple[int, ...], constant: bool) -> None:
    b = TfliteBuilder()
    x = b.tensor("x", (1, *heads, *((6, 5) if adj_x else (5, 6))))
    shape = (1, *heads, *((4, 6) if adj_y else (6, 4)))
    other = b.random("w", shape) if constant else b.tensor("z", shape)
    y = b.tensor("y", (1, *heads, 5, 4))
    b.op("BATCH_MATMUL", [x, other], [y], "BatchMatMul", adjX=adj_x, adjY=adj_y)
    (node,) = _check(b, [x] if constant else [x, other], [y]).nodes
    assert node.op is Op.MATMUL


FLATTENED = [(1, 12), (1, 1, 1, 12), (1, 2, 2, 3)]
IN_ROWS = [(1, 12), (1, 1, 1, 12), (1, 5, 12)]


@pytest.mark.parametrize(
    ("keep", "shape"), [*((False, s) for s in FLATTENED), *((True, s) for s in IN_ROWS)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_fully_connected(keep: bool, shape: tuple[int, ...], bias: bool) -> None:
    b = TfliteBuilder()
    x = b.tensor("x", shape)
    y = b.tensor("y", (*shape[:-1], 7) if keep else (1, 7))
    operands = [x, b.random("w", (7, 12)), b.random("b", (7,)) if bias else -1]
    b.op(
        "FULLY_CONNECTED",
        operands,
        [y],
        "FullyConnected",
        keepNumDims=keep,
        fusedActivationFunction=RELU,
    )
    _check(b, [x], [y])


@pytest.mark.parametrize(
    ("scheme", "size", "kernel", "strides"),
    [
        (SAME, (8, 10), (3, 3), (2, 2)),
        (SAME, (4, 5), (2, 3), (1, 1)),
        (SAME, (7, 9), (3, 4), (2, 2)),
        (SAME, (8, 10), (1, 1), (2, 2)),
        (VALID, (9, 11), (3, 3), (2, 2)),
        (VALID, (10, 11), (3, 2), (2, 2)),
    ],
)
def test_transpose_conv(
    scheme: int, size: tuple[int, int], kernel: tuple[int, int], strides: tuple[int, int]
) -> None:
    if scheme == SAME:
        small = [-(-s // t) for s, t in zip(size, strides, strict=True)]
    else:
        small = [(s - k) // t + 1 for s, k, t in zip(size, kernel, strides, strict=True)]
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, *small, 3)), b.tensor("y", (1, *size, 2))
    operands = [
        b.constant("shape", [1, *size, 2]),
        b.random("w", (2, *kernel, 3)),
        x,
        b.random("b", (2,)),
    ]
    b.op(
        "TRANSPOSE_CONV",
        operands,
        [y],
        "TransposeConv",
        padding=scheme,
        strideH=strides[0],
        strideW=strides[1],
        fusedActivationFunction=RELU,
    )
    b.model.operatorCodes[-1].version = 4
    _check(b, [x], [y])


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("activation", [NONE, RELU, RELU_N1_TO_1, RELU6])
@pytest.mark.parametrize("other", [(1, 4, 5, 3), (1, 1, 1, 3), (3,), (), (1, 4, 1, 1)])
def test_arithmetic(name: str, activation: int, other: tuple[int, ...]) -> None:
    for constant in (True, False):
        if not constant and not other:
            continue
        b = TfliteBuilder()
        x, y = b.tensor("x", (1, 4, 5, 3)), b.tensor("y", (1, 4, 5, 3))
        z = b.random("z", other) if constant else b.tensor("z", other)
        if not constant and len(other) == 1:
            continue
        b.op(name, [x, z], [y], name.capitalize(), fusedActivationFunction=activation)
        _check(b, [x] if constant else [x, z], [y])


def test_operands_of_different_rank() -> None:
    b = TfliteBuilder()
    x, z, y = b.tensor("x", (1, 4, 5, 3)), b.tensor("z", (1, 3)), b.tensor("y", (1, 4, 5, 3))
    b.op("MUL", [z, x], [y], "Mul")
    graph = _check(b, [x, z], [y])
    batch = {"x": np.ones((2, 4, 5, 3), np.float32), "z": np.ones((2, 3), np.float32)}
    batch["z"][1] = 5
    assert execute(graph, batch)["y"][1].min() == 5


@pytest.mark.parametrize("name", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
@pytest.mark.parametrize("scheme", [SAME, VALID])
def test_pools(name: str, scheme: int) -> None:
    out = (4, 3) if scheme == SAME else (3, 2)
    fields = {"strideH": 2, "strideW": 3, "filterHeight": 3, "filterWidth": 4}
    fields |= {"padding": scheme, "fusedActivationFunction": RELU}
    _one(name, (1, 7, 9, 2), (1, *out, 2), (), "Pool2D", **fields)


UNARY: dict[str, tuple[str | None, dict[str, Any]]] = {
    "RELU": (None, {}),
    "RELU6": (None, {}),
    "RELU_N1_TO_1": (None, {}),
    "RELU_0_TO_1": (None, {}),
    "HARD_SWISH": ("HardSwish", {}),
    "LOGISTIC": (None, {}),
    "TANH": (None, {}),
    "LEAKY_RELU": ("LeakyRelu", {"alpha": 0.3}),
    "SOFTMAX": ("Softmax", {"beta": 0.7}),
    "L2_NORMALIZATION": ("L2Norm", {"fusedActivationFunction": NONE}),
}


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("shape", [(1, 4, 3, 5), (1, 9)])
def test_unary(name: str, shape: tuple[int, ...]) -> None:
    options, fields = UNARY[name]
    _one(name, shape, shape, (), options, **fields)


@pytest.mark.parametrize("limits", [(5,), (1, 4, 1, 5), (4, 3, 5)])
@pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM"])
def test_extremes(name: str, limits: tuple[int, ...]) -> None:
    graph = _one(name, (1, 4, 3, 5), (1, 4, 3, 5), [_normal(*limits)], "MaximumMinimum")
    assert [n.op for n in graph.nodes] == [Op[name]]


@pytest.mark.parametrize("slopes", [(5,), (1, 1, 5), (4, 3, 5)])
def test_prelu(slopes: tuple[int, ...]) -> None:
    graph = _one("PRELU", (1, 4, 3, 5), (1, 4, 3, 5), [_normal(*slopes)])
    assert [n.op for n in graph.nodes] == [Op.PRELU]


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("axes", [[1, 2], [-1], [3, -3]])
def test_mean(keep: bool, axes: list[int]) -> None:
    shape = (1, 4, 5, 3)
    places = {a % 4 for a in axes}
    y = [1 if i in places else d for i, d in enumerate(shape) if keep or i not in places]
    _one("MEAN", shape, y, [axes], "Reducer", keepDims=keep)


@pytest.mark.parametrize("name", ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"])
@pytest.mark.parametrize("size", [(8, 10), (3, 7), (1, 1), (4, 5), (13, 3)])
@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True)])
def test_resize(name: str, size: tuple[int, int], flags: tuple[bool, bool]) -> None:
    table = "ResizeBilinear" if name == "RESIZE_BILINEAR" else "ResizeNearestNeighbor"
    fields = {"alignCorners": flags[0], "halfPixelCenters": flags[1]}
    _one(name, (1, 4, 5, 2), (1, *size, 2), [list(size)], table, **fields)


def test_pad() -> None:
    pads = [[0, 0], [1, 2], [0, 3], [1, 0]]
    _one("PAD", (1, 3, 4, 2), (1, 6, 7, 3), [pads], "Pad")
    value = np.array([1.5], dtype=np.float32)
    _one("PADV2", (1, 3, 4, 2), (1, 6, 7, 3), [pads, value], "PadV2")


def test_shapes() -> None:
    _one("RESHAPE", (1, 3, 4, 2), (1, 12, 2), [[1, -1, 2]], "Reshape", newShape=[1, 12, 2])
    _one("RESHAPE", (1, 3, 4, 2), (1, 24), (), "Reshape", newShape=[-1, 24])
    _one("SQUEEZE", (1, 1, 4, 1), (1, 4, 1), (), "Squeeze", squeezeDims=[1])
    _one("SQUEEZE", (1, 1, 4, 1), (1, 4), (), "Squeeze", squeezeDims=[1, -1])
    _one("EXPAND_DIMS", (1, 4, 3), (1, 1, 4, 3), [1], "ExpandDims")
    _one("EXPAND_DIMS", (1, 4, 3), (1, 4, 3, 1), [-1], "ExpandDims")
    _one("TRANSPOSE", (1, 2, 3, 4), (1, 4, 2, 3), [[0, 3, 1, 2]], "Transpose")


def test_slices() -> None:
    x = (1, 6, 7, 4)
    _one("SLICE", x, (1, 3, 7, 2), [[0, 2, 0, 1], [1, 3, -1, 2]], "Slice")
    strided = [[0, 1, -4, 0], [1, 6, -1, 2], [1, 2, 1, 1]]
    _one("STRIDED_SLICE", x, (1, 3, 3, 4), strided, "StridedSlice", endMask=8)
    dropped = [[0, 0, 2, 0], [0, 0, 3, 0], [1, 1, 1, 1]]
    fields = {"beginMask": 11, "endMask": 11, "shrinkAxisMask": 4}
    _one("STRIDED_SLICE", x, (1, 6, 4), dropped, "StridedSlice", **fields)


def test_splits() -> None:
    for name, first, options in (("SPLIT", True, "Split"), ("SPLIT_V", False, "SplitV")):
        b = TfliteBuilder()
        x = b.tensor("x", (1, 3, 6))
        sizes = [2, 2, 2] if first else [1, 2, 3]
        parts = [b.tensor(f"y{i}", (1, 3, s)) for i, s in enumerate(sizes)]
        axis = b.constant("axis", 2 if first else -1)
        operands = [axis, x] if first else [x, b.constant("sizes", [1, -1, 3]), axis]
        b.op(name, operands, parts, options, numSplits=3)
        graph = _check(b, [x], parts)
        assert [n.op for n in graph.nodes] == [Op.SLICE] * 3


def test_concatenation() -> None:
    b = TfliteBuilder()
    x, z, y = b.tensor("x", (1, 3, 2)), b.tensor("z", (1, 3, 4)), b.tensor("y", (1, 3, 11))
    k = b.random("k", (1, 3, 5))
    b.op("CONCATENATION", [x, k, z], [y], "Concatenation", axis=-1, fusedActivationFunction=NONE)
    _check(b, [x, z], [y])


def test_float16_and_int8_weights_become_float32() -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 5)), b.tensor("y", (1, 3))
    half = b.constant("half", _normal(3, 5).astype(np.float16))
    weight = b.tensor("weight", (3, 5))
    b.op("DEQUANTIZE", [half], [weight], "Dequantize")
    b.op("FULLY_CONNECTED", [x, weight, b.random("b", (3,))], [y], "FullyConnected")
    graph = _check(b, [x], [y])
    (node,) = graph.nodes
    assert graph.tensors[node.inputs[1]].dtype is DType.FLOAT32


def test_a_shape_that_the_model_computes_of_itself() -> None:
    """The chain that Keras leaves for Flatten and Reshape when the batch is open."""
    b = TfliteBuilder()
    x = b.tensor("x", (1, 4, 3), signature=(-1, 4, 3))
    shape, batch = b.tensor("s", (3,), "INT32"), b.tensor("n", (), "INT32")
    packed = b.tensor("p", (2,), "INT32")
    y = b.tensor("y", (1, 12), signature=(-1, 12))
    b.op("SHAPE", [x], [shape], "Shape", outType=2)
    begin, end, stride = (b.constant(n, [v]) for n, v in (("b", 0), ("e", 1), ("t", 1)))
    b.op("STRIDED_SLICE", [shape, begin, end, stride], [batch], "StridedSlice", shrinkAxisMask=1)
    b.op("PACK", [batch, b.constant("twelve", 12)], [packed], "Pack", valuesCount=2, axis=0)
    b.op("RESHAPE", [x, packed], [y], "Reshape")
    (node,) = _check(b, [x], [y]).nodes
    assert node.op is Op.RESHAPE


def test_layers_bear_the_name_of_their_output() -> None:
    b = TfliteBuilder()
    x, z, y = (
        b.tensor("x", (1, 4)),
        b.tensor("net/relu;net/bn;net/conv", (1, 4)),
        b.tensor("", (1, 4)),
    )
    b.op("RELU", [x], [z])
    b.op("TANH", [z], [y])
    first, second = _check(b, [x], [y]).nodes
    assert (first.name, first.sources) == ("net/relu", ("net/relu;net/bn;net/conv",))
    assert first.output == "net/relu;net/bn;net/conv"
    assert second.name == "tensor_2"


def test_tensors_of_one_name_are_told_apart() -> None:
    b = TfliteBuilder()
    x, z, y = b.tensor("t", (1, 4)), b.tensor("t", (1, 4)), b.tensor("t", (1, 4))
    b.op("TANH", [x], [z])
    b.op("TANH", [z], [y])
    graph = _check(b, [x], [y])
    assert len({node.name for node in graph.nodes}) == 2
    assert graph.inputs == ("t",)


def test_a_given_shape_replaces_the_stored_one() -> None:
    b = TfliteBuilder()
    x = b.tensor("x", (1, 1, 1, 3), signature=(-1, -1, -1, 3))
    y = b.tensor("y", (1, 1, 1, 3), signature=(-1, -1, -1, 3))
    fields = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    b.op("MAX_POOL_2D", [x], [y], "Pool2D", **fields)
    graph = from_bytes(b.build([x], [y]), "m", shapes={"x": (1, 8, 6, 3)})
    assert graph.tensors["y"].shape == (1, 4, 3, 3)


def _image(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0, 255, shape).astype(np.float32)


def _features(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-120, 30, shape).astype(np.float32)


MODELS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "pretrainedResnet.tflite": _image,
    "kws_ref_model_float32.tflite": _features,
}


@pytest.mark.parametrize("name", MODELS)
def test_mlperf_tiny(name: str) -> None:
    data = with_float_weights(shared(f"mlperf_tiny/{name}").read_bytes())
    graph = from_bytes(shared(f"mlperf_tiny/{name}").read_bytes(), "model")
    rng = np.random.default_rng(3)
    for _ in range(3):
        x = MODELS[name](rng, graph.tensors[graph.inputs[0]].shape)
        (expected,) = run_litert(data, [x])
        actual = execute(graph, {graph.inputs[0]: x})[graph.outputs[0]]
        assert np.max(np.abs(actual - expected)) < TOLERANCE * np.max(np.abs(expected))
