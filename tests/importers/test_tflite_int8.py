"""Int8 .tflite files arrive as they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings

from tests.support.paths import shared
from tests.support.random_graphs import quantized_graphs, random_inputs
from tests.support.tflite_builder import TfliteBuilder
from tinyflow.codegen.tflite import write_tflite
from tinyflow.errors import UnsupportedError
from tinyflow.importers.tflite import from_bytes, load
from tinyflow.ir import RELU, DType, Graph, Op, QuantParams
from tinyflow.passes import run_passes
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.reference import run_reference

IN = QuantParams.per_tensor(0.5, 3)
OUT = QuantParams.per_tensor(0.25, -7)
UINT8_OUT = QuantParams.per_tensor(0.25, 121)


@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant"])
def test_everything_that_is_stored_arrives(name: str) -> None:
    path = shared(f"mlperf_tiny/{name}.tflite")
    graph = load(path)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    stored: dict[str, Any] = {t.name.decode(): t for t in model.subgraphs[0].tensors}
    assert len(graph.nodes) == len(model.subgraphs[0].operators)
    assert not graph.is_quantized
    for name, tensor in graph.tensors.items():
        entry = stored[name]
        assert tensor.shape == tuple(entry.shape)
        assert tensor.quant is not None
        assert tensor.quant.scales == tuple(float(s) for s in entry.quantization.scale)
        assert tensor.quant.zero_points == tuple(entry.quantization.zeroPoint)
        if len(entry.quantization.scale) > 1:
            assert tensor.quant.axis == entry.quantization.quantizedDimension
        if tensor.is_constant:
            assert tensor.value.tobytes() == model.buffers[entry.buffer].data.tobytes()
    read = {i for node in graph.nodes for i in node.inputs}
    assert {DType.INT8, DType.INT32} == {graph.tensors[i].dtype for i in read}


@settings(max_examples=60)
@given(quantized_graphs())
def test_a_written_graph_comes_back_with_the_same_codes(graph: Graph) -> None:
    if any(tensor.dtype is DType.UINT8 for tensor in graph.tensors.values()):
        return  # Between uint8 and int8 the scale must stay: see the tests below.
    file = write_tflite(graph)
    if file.custom or {"MAXIMUM", "MINIMUM"} & {use.name for use in file.operators}:
        return  # The importer has no such layers.
    read = from_bytes(file.data, "model")
    inputs = random_inputs(graph, 3)
    expected = run_reference(graph, inputs)
    for candidate in (read, run_passes(read)):
        integer = attach_integers(candidate)
        moved = {
            mine: _in_layout(integer, mine, codes)
            for mine, codes in zip(integer.inputs, inputs.values(), strict=True)
        }
        actual = run_reference(integer, moved)
        for mine, other in zip(integer.outputs, graph.outputs, strict=True):
            wanted = _in_layout(integer, mine, expected[other])
            np.testing.assert_array_equal(actual[mine], wanted)


def _in_layout(graph: Graph, name: str, codes: np.ndarray) -> np.ndarray:
    """An array of the source model as the graph holds it."""
    perm = graph.layouts.get(name)
    return codes if perm is None else codes.transpose(perm)


def _float_ends(outer: str, output: str | None = None) -> bytes:
    """A RELU with QUANTIZE before it and DEQUANTIZE or QUANTIZE behind it."""
    b = TfliteBuilder()
    output = output or outer
    uint8_in = QuantParams.per_tensor(0.5, 131)
    x = b.tensor("image", (1, 4), outer, uint8_in if outer == "UINT8" else None)
    inner = b.tensor("image_int8", (1, 4), "INT8", IN)
    result = b.tensor("result_int8", (1, 4), "INT8", OUT)
    y = b.tensor("result", (1, 4), output, UINT8_OUT if output == "UINT8" else None)
    b.op("QUANTIZE", [x], [inner], "Quantize")
    b.op("RELU", [inner], [result])
    b.op("QUANTIZE" if output == "UINT8" else "DEQUANTIZE", [result], [y])
    return b.build([x], [y])


@pytest.mark.parametrize("outer", ["FLOAT32", "UINT8"])
def test_conversions_at_the_boundary_are_left_out(outer: str) -> None:
    graph = from_bytes(_float_ends(outer), "m")
    (node,) = graph.nodes
    assert (node.op, node.name) == (Op.CLAMP, "result_int8")
    assert (graph.inputs, graph.outputs) == (("image",), ("result",))
    assert graph.tensors["image"].quant == IN
    assert graph.tensors["result"].quant == OUT
    assert graph.tensors["result"].dtype is DType.INT8


def test_a_uint8_input_of_another_scale_is_refused() -> None:
    b = TfliteBuilder()
    x = b.tensor("image", (1, 4), "UINT8", QuantParams.per_tensor(0.125, 131))
    y = b.tensor("y", (1, 4), "INT8", IN)
    b.op("QUANTIZE", [x], [y], "Quantize")
    with pytest.raises(UnsupportedError, match="old uint8 quantization"):
        from_bytes(b.build([x], [y]), "m")


def test_a_rescale_inside_the_model_stays() -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 4), "INT8", IN), b.tensor("y", (1, 4), "INT8", OUT)
    b.op("QUANTIZE", [x], [y], "Quantize")
    graph = from_bytes(b.build([x], [y]), "m")
    assert [n.op for n in graph.nodes] == [Op.QUANTIZE]
    assert [n.op for n in run_passes(graph).nodes] == [Op.QUANTIZE]


def test_a_relu_that_rescales_stays_a_layer() -> None:
    graph = run_passes(from_bytes(_float_ends("FLOAT32"), "m"))
    assert [str(n.attrs) for n in graph.nodes] == ["clamp=relu"]


def _fully_connected(
    weight: QuantParams | None, dtype: Any = np.int8, bias: Any = np.int32
) -> bytes:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 4), "INT8", IN), b.tensor("y", (1, 3), "INT8", OUT)
    w = b.constant("w", np.arange(12).reshape(3, 4).astype(dtype), weight)
    k = b.constant("b", np.arange(3).astype(bias), QuantParams.per_tensor(0.05))
    b.op("FULLY_CONNECTED", [x, w, k], [y], "FullyConnected", fusedActivationFunction=1)
    return b.build([x], [y])


def test_fully_connected_weights_per_tensor_with_a_zero_point_and_per_channel() -> None:
    scales = np.array([0.1, 0.2, 0.3], dtype=np.float32)
    for params in (QuantParams.per_tensor(0.1, 5), QuantParams.per_channel(scales, 0)):
        graph = from_bytes(_fully_connected(params), "m")
        (node,) = graph.nodes
        assert graph.tensors[node.inputs[1]].quant == params
        assert getattr(node.attrs, "clamp", None) == RELU


def test_weights_that_int8_kernels_do_not_have_are_refused() -> None:
    wrong_axis = QuantParams.per_channel(np.full(4, 0.1, np.float32), 1)
    shifted = QuantParams((0.5, 0.5, 0.5), (0, 1, 0), 0)
    cases = [
        (_fully_connected(None), "int8 without a scale"),
        (_fully_connected(wrong_axis), "scales along the axis 1"),
        (_fully_connected(shifted), "zero point other than 0"),
        (_fully_connected(QuantParams.per_tensor(0.1), np.uint8), "old uint8 quantization"),
        (_fully_connected(QuantParams.per_tensor(0.1), np.int16), "int16"),
        (_fully_connected(QuantParams.per_tensor(0.1), bias=np.int8), "its bias is int8"),
    ]
    for data, sentence in cases:
        with pytest.raises(UnsupportedError, match=sentence) as caught:
            from_bytes(data, "m")
        assert [o.layer for o in caught.value.obstacles] == ["y"]
