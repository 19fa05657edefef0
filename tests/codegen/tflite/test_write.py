"""What a written .tflite file holds, and that TFLite Micro computes the same codes with it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from ai_edge_litert import schema_py_generated as schema

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_graph, random_inputs
from tinyflow.codegen.tflite import OperatorUse, write_tflite
from tinyflow.codegen.tflite.read import read_tflite
from tinyflow.errors import MissingExtraError
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Attrs, Clamp, DType, Graph, Op, QuantParams
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.transpose_conv2d import TransposeConv2DAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.postprocess import add_argmax
from tinyflow.quantize.reference import run_reference

IN = QuantParams.per_tensor(0.05, 3)
OUT = QuantParams.per_tensor(0.043, -7)
IMAGE = (1, 6, 5, 3)


def layer(
    op: Op,
    attrs: Attrs,
    quant: QuantParams = OUT,
    weight: tuple[int, ...] | None = None,
    shape: tuple[int, ...] = IMAGE,
    operands: int = 1,
) -> Graph:
    """A graph of one quantized layer."""
    b = GraphBuilder()
    inputs = [b.input(f"x{i}", shape, DType.INT8, IN) for i in range(operands)]
    if weight is not None:
        codes = np.random.default_rng(0).integers(-127, 128, weight).astype(np.int8)
        inputs.append(b.constant("w", codes, QuantParams.per_tensor(0.002)))
    return attach_integers(b.build(b.node(op, inputs, attrs, name="net/layer", quant=quant)))


def names(graph: Graph) -> list[str]:
    return [use.name for use in write_tflite(graph).operators]


def test_a_file_is_read_back_as_it_was_written() -> None:
    """Constants that only the file has come in addition."""
    for seed, op in enumerate((Op.CONV_2D, Op.LAYER_NORM, Op.AVERAGE_POOL)):
        file = write_tflite(random_graph(seed, (op, Op.RESHAPE), 4))
        found = read_tflite(file.data)
        assert found.operators == file.operators
        assert file.indices.items() <= found.indices.items()


def assert_equal_in_tflite_micro(graph: Graph, samples: int = 5) -> None:
    pytest.importorskip("tflite_micro")
    from tests.support.tflite_micro import run_tflite_micro

    inputs = random_inputs(graph, samples)
    seen: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, lambda name, array: seen.update({name: array}))
    for name, codes in run_tflite_micro(graph, inputs).items():
        np.testing.assert_array_equal(codes, seen[name], err_msg=f"{name}\n{graph}")


def test_equal_graphs_give_equal_bytes() -> None:
    assert write_tflite(random_graph(5)).data == write_tflite(random_graph(5)).data


def test_the_file_says_what_the_graph_says() -> None:
    graph = layer(Op.CONV_2D, Conv2DAttrs(clamp=RELU), weight=(4, 1, 1, 3))
    file = write_tflite(graph, "net")
    assert file.operators == (OperatorUse("CONV_2D", schema.BuiltinOperator.CONV_2D),)
    assert file.custom == ()
    model = schema.ModelT.InitFromPackedBuf(file.data, 0)
    (main,) = model.subgraphs
    assert (model.version, main.name) == (3, b"net")
    for name, index in file.indices.items():
        entry, tensor = main.tensors[index], graph.tensors[name]
        assert entry.name.decode() == name
        assert tuple(entry.shape) == tensor.shape
        assert tuple(entry.quantization.scale) == tensor.params.scales
        assert tuple(entry.quantization.zeroPoint) == tensor.params.zero_points
    (operator,) = main.operators
    assert operator.builtinOptions.fusedActivationFunction == schema.ActivationFunctionType.RELU
    (signature,) = model.signatureDefs
    assert [(i.name, i.tensorIndex) for i in signature.inputs] == [(b"x0", file.indices["x0"])]
    assert file.data[4:8] == b"TFL3"


def test_constants_are_aligned_for_kernels_that_read_them_in_the_file() -> None:
    graph = layer(Op.CONV_2D, Conv2DAttrs(padding=((2, 1), (0, 1))), weight=(5, 3, 3, 3))
    root = schema.Model.GetRootAs(write_tflite(graph).data, 0)
    places = []
    for i in range(root.BuffersLength()):
        table = root.Buffers(i)._tab
        if offset := table.Offset(4):
            places.append(table.Vector(offset))
    assert len(places) == 3
    assert all(place % 16 == 0 for place in places)


CLAMPS = [
    (NO_CLAMP, OUT, ["ADD"]),
    (RELU6, OUT, ["ADD"]),
    (Clamp(-1.0, 1.0), OUT, ["ADD"]),
    (Clamp(-1.0, 1.5), OUT, ["ADD", "MAXIMUM", "MINIMUM"]),
    (Clamp(hi=1.5), OUT, ["ADD", "MINIMUM"]),
    (Clamp(0.0, 3.0), OUT, ["ADD", "MAXIMUM", "MINIMUM"]),
    # The range ends before the clamp does.
    (Clamp(-100.0, 100.0), OUT, ["ADD"]),
    (Clamp(0.0, 3.0), QuantParams.per_tensor(3 / 255, -128), ["ADD"]),
]


@pytest.mark.parametrize(("clamp", "quant", "operators"), CLAMPS, ids=str)
def test_every_fused_clamp_has_builtin_operators(
    clamp: Clamp, quant: QuantParams, operators: list[str]
) -> None:
    graph = layer(Op.ADD, BinaryAttrs(clamp), quant, operands=2)
    assert names(graph) == operators
    assert_equal_in_tflite_micro(graph)


@pytest.mark.parametrize(
    ("clamp", "quant", "operators"),
    [
        (RELU, OUT, ["RELU"]),
        (RELU6, IN, ["RELU6"]),
        # Six is beyond the largest code.
        (RELU6, OUT, ["RELU"]),
        (RELU6, QuantParams.per_tensor(0.06, -7), ["QUANTIZE", "MAXIMUM", "MINIMUM"]),
        (Clamp(-0.5, 0.75), IN, ["MAXIMUM", "MINIMUM"]),
        (Clamp(-100.0, 100.0), OUT, ["QUANTIZE"]),
    ],
    ids=str,
)
def test_a_clamp_that_is_a_layer(clamp: Clamp, quant: QuantParams, operators: list[str]) -> None:
    graph = layer(Op.CLAMP, ClampAttrs(clamp), quant)
    assert names(graph) == operators
    assert_equal_in_tflite_micro(graph)


@pytest.mark.parametrize(
    ("attrs", "operators"),
    [
        (TransposeConv2DAttrs((2, 2)), ["TRANSPOSE_CONV"]),
        (TransposeConv2DAttrs((2, 2), ((0, 1), (0, 1))), ["TRANSPOSE_CONV"]),
        # PyTorch's padding=1 and output_padding=1.
        (TransposeConv2DAttrs((2, 2), ((1, 1), (1, 1)), (1, 1)), ["TRANSPOSE_CONV", "SLICE"]),
    ],
    ids=str,
)
def test_paddings_of_transposed_convolutions(attrs: Attrs, operators: list[str]) -> None:
    graph = layer(Op.TRANSPOSE_CONV_2D, attrs, weight=(4, 3, 3, 3))
    assert names(graph) == operators
    assert_equal_in_tflite_micro(graph)


@pytest.mark.parametrize(
    ("attrs", "operators"),
    [
        (PoolAttrs((3, 3), (2, 2)), ["AVERAGE_POOL_2D"]),
        # PyTorch's padding=1 without counting it, on an even number of rows.
        (PoolAttrs((3, 3), (2, 2), ((1, 1), (1, 1))), ["AVERAGE_POOL_2D", "STRIDED_SLICE"]),
        (PoolAttrs((3, 2), (1, 2), ((0, 1), (0, 1)), RELU), ["AVERAGE_POOL_2D", "STRIDED_SLICE"]),
        (PoolAttrs((2, 2), (2, 2), ((1, 1), (1, 1))), ["TinyFlowAveragePool"]),
    ],
    ids=str,
)
def test_paddings_of_average_pools(attrs: Any, operators: list[str]) -> None:
    graph = layer(Op.AVERAGE_POOL, attrs, IN)
    assert names(graph) == operators
    if len(write_tflite(graph).custom) == 0:
        assert_equal_in_tflite_micro(graph)


@pytest.mark.parametrize(
    ("classes", "between"), [(7, ["ADD", "CAST", "QUANTIZE"]), (300, ["CAST"])]
)
def test_labels_of_pixels(classes: int, between: list[str]) -> None:
    """Few classes are uint8, many int16."""
    graph = layer(Op.CLAMP, ClampAttrs(RELU), IN, shape=(1, 4, 3, classes))
    graph = add_argmax(graph, graph.outputs[0])
    assert names(graph) == ["RELU", "ARG_MAX", *between, "RESHAPE"]
    assert_equal_in_tflite_micro(graph)


def test_what_builtin_operators_cannot_say_is_a_custom_operator() -> None:
    graph = layer(Op.EXP, Attrs())
    file = write_tflite(graph)
    (use,) = file.operators
    assert use.custom
    assert file.custom == (use.name,)
    assert use.code == schema.BuiltinOperator.CUSTOM
    model = schema.ModelT.InitFromPackedBuf(file.data, 0)
    assert model.operatorCodes[0].customCode.decode() == use.name
    (operator,) = model.subgraphs[0].operators
    assert len(operator.inputs) == 2
    table = model.buffers[model.subgraphs[0].tensors[operator.inputs[1]].buffer].data
    form: Any = graph.nodes[0].integer
    assert table.tobytes() == form.table.tobytes()
    assert operator.customOptions is not None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flatbuffers", None)
    with pytest.raises(MissingExtraError, match=r"writing a \.tflite file"):
        write_tflite(random_graph(5))
