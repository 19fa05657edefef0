"""The scales that a model brings along are those of the quantized graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.compiled import Job, compile_and_run
from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.codegen.schedule import make_schedule
from tinyflow.errors import DataError
from tinyflow.ir import OPS, Graph, Node, Op, QuantParams, Tensor, execute
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.fake_quant import FakeQuantAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.softmax import SoftmaxAttrs
from tinyflow.quantize import QuantizeOptions, quantize_and_record, quantize_model, run_reference
from tinyflow.quantize.given_scales import take_given_scales

IMAGE = (1, 4, 4, 2)
IN, MIDDLE, OUT = (FakeQuantAttrs(s, z) for s, z in ((0.03125, -3), (0.125, -128), (0.0625, 5)))


def rounded(b: GraphBuilder, x: str, attrs: FakeQuantAttrs, name: str | None = None) -> str:
    return b.node(Op.FAKE_QUANT, [x], attrs, name)


def conv(b: GraphBuilder, x: str, name: str, outputs: int = 3, quant: bool = True) -> str:
    """A 1x1 convolution whose weight has codes down to -128."""
    inputs = b.tensors[x].shape[-1]
    codes = np.random.default_rng(outputs).integers(-128, 128, (outputs, 1, 1, inputs))
    codes[0, 0, 0, 0] = -128
    scales = np.float32(0.5) ** np.arange(7, 7 + outputs, dtype=np.float32)
    params = QuantParams.per_channel(scales, 0) if quant else None
    value = (codes * scales.reshape(-1, 1, 1, 1)).astype(np.float32)
    weight = b._add(Tensor.constant(f"{name}/weight", value, params))
    return b.node(
        Op.CONV_2D, [x, weight, b.random(f"{name}/bias", (outputs,))], Conv2DAttrs(), name
    )


def params_of(graph: Graph, node: str) -> QuantParams:
    (found,) = (n for n in graph.nodes if n.name == node)
    return graph.result(found).params


def network() -> tuple[GraphBuilder, str]:
    """Two convolutions and a pool, all scales given."""
    b = GraphBuilder()
    x = rounded(b, b.input("x", IMAGE), IN)
    y = rounded(b, conv(b, x, "first"), MIDDLE)
    y = b.node(Op.MAX_POOL, [y], PoolAttrs((2, 2), (2, 2)), "pool")
    return b, rounded(b, conv(b, y, "second", 4), OUT)


def test_all_scales_are_kept_without_calibration() -> None:
    b, y = network()
    record = quantize_and_record(b.build(y), None)
    graph = record.graph
    assert [n.op for n in graph.nodes] == [Op.CONV_2D, Op.MAX_POOL, Op.CONV_2D]
    assert graph.tensors["x"].params == IN.params
    assert params_of(graph, "first") == params_of(graph, "pool") == MIDDLE.params
    assert graph.tensors[graph.outputs[0]].params == OUT.params
    for node in (graph.nodes[0], graph.nodes[2]):
        weight, before = graph.operands(node)[1], b.tensors[node.inputs[1]]
        assert weight.params == before.params
        np.testing.assert_array_equal(weight.params.dequantize(weight.value), before.value)
        assert weight.value.min() == -128
    assert not record.bias_corrected
    assert record.used["x"].lo == pytest.approx((-128 + 3) * IN.scale)


def test_results_are_those_of_the_float_graph() -> None:
    b, y = network()
    source = b.build(y)
    graph = quantize_model(source, None)
    inputs = random_inputs(graph, 50)
    reals = execute(source, {"x": IN.params.dequantize(inputs["x"])})
    codes = run_reference(graph, inputs)[graph.outputs[0]]
    off = np.abs(codes - (reals[y] / OUT.scale + OUT.zero_point))
    # A code of the middle weighs up to two of the output.
    assert off.max() <= 2.001
    assert (off > 0.5).mean() < 0.03


def test_compiled_code_equals_the_reference(tmp_path: Path) -> None:
    b, y = network()
    graph = quantize_model(b.build(y), None)
    inputs = random_inputs(graph, 8)
    (result,) = compile_and_run([Job(make_schedule(graph), inputs)], tmp_path)
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, expected.__setitem__)
    for name, codes in (*result.taps.items(), *result.outputs.items()):
        np.testing.assert_array_equal(codes, expected[name], name)


def test_layers_without_a_scale_are_named() -> None:
    b = GraphBuilder()
    x = rounded(b, b.input("x", IMAGE), IN)
    y = conv(b, x, "first")
    y = b.node(Op.EXP, [y], None, "bent")
    graph = b.build(rounded(b, conv(b, rounded(b, y, MIDDLE), "second"), OUT))
    with pytest.raises(DataError, match="no scale for the results of 'first'") as caught:
        quantize_model(graph, None)
    assert "--calibration" in caught.value.hint
    samples = {"x": np.random.default_rng(0).normal(size=(8, *IMAGE[1:])).astype(np.float32)}
    record = quantize_and_record(graph, samples)
    assert params_of(record.graph, "bent") == MIDDLE.params
    assert record.graph.tensors["x"].params == IN.params
    assert not record.bias_corrected


def test_a_stated_range_does_not_go_with_a_given_scale() -> None:
    b, y = network()
    with pytest.raises(DataError, match="the model brings its own scale"):
        quantize_model(b.build(y), None, QuantizeOptions(input_ranges={"x": (0.0, 1.0)}))


def taken(b: GraphBuilder, *outputs: str) -> tuple[list[Node], dict[str, QuantParams]]:
    found = take_given_scales(b.build(*outputs))
    assert not found.layers_without
    return list(found.graph.nodes), dict(found.params)


def test_readers_with_different_scales() -> None:
    b = GraphBuilder()
    x = b.input("x", IMAGE)
    narrow = b.node(Op.SIGMOID, [rounded(b, x, IN, "narrow")])
    wide = b.node(Op.SIGMOID, [rounded(b, x, MIDDLE, "wide")])
    nodes, params = taken(b, narrow, wide)
    assert params["x"] == MIDDLE.params
    rescale = next(n for n in nodes if n.op is Op.QUANTIZE)
    assert (rescale.inputs, params[rescale.output]) == (("x",), IN.params)


def test_a_move_between_different_scales_rescales_behind_it() -> None:
    b = GraphBuilder()
    y = b.node(Op.RESHAPE, [rounded(b, b.input("x", IMAGE), IN)], ReshapeAttrs((1, 32)), "flat")
    nodes, params = taken(b, rounded(b, y, OUT))
    assert [n.op for n in nodes] == [Op.RESHAPE, Op.QUANTIZE]
    assert [params[n.output] for n in nodes] == [IN.params, OUT.params]


def test_a_concatenation_rescales_what_it_joins() -> None:
    b = GraphBuilder()
    parts = [rounded(b, b.input(n, IMAGE), a) for n, a in (("x", IN), ("y", MIDDLE), ("z", OUT))]
    y = b.node(Op.CONCAT, parts, ConcatAttrs(3), "joined")
    nodes, params = taken(b, rounded(b, y, OUT))
    assert [n.op for n in nodes] == [Op.QUANTIZE, Op.QUANTIZE, Op.CONCAT]
    assert {params[name] for name in nodes[2].inputs} == {params[nodes[2].output]} == {OUT.params}


def test_a_concatenation_without_a_scale_gets_one_for_all_its_parts() -> None:
    b = GraphBuilder()
    parts = [rounded(b, b.input(n, IMAGE), a) for n, a in (("x", IN), ("y", MIDDLE))]
    y = b.node(Op.CONCAT, parts, ConcatAttrs(3), "joined")
    nodes, params = taken(b, y)
    lo, hi = -125 * IN.scale, 255 * MIDDLE.scale
    found = params[nodes[-1].output]
    assert found.scale == pytest.approx((hi - lo) / 255)
    assert {params[name] for name in nodes[-1].inputs} == {found}


def test_a_function_of_given_codes_gets_the_scale_of_all_its_values() -> None:
    b = GraphBuilder()
    attrs = FakeQuantAttrs(0.0625, 0)
    nodes, params = taken(b, b.node(Op.HARD_SWISH, [rounded(b, b.input("x", IMAGE), attrs)]))
    span = 127 * 0.0625 + 0.375
    assert params[nodes[0].output].scale == pytest.approx(span / 255)


def test_a_scale_that_the_operation_prescribes_stays() -> None:
    b = GraphBuilder()
    y = b.node(Op.SOFTMAX, [rounded(b, b.input("x", (1, 8)), IN)], SoftmaxAttrs(), "shares")
    nodes, params = taken(b, rounded(b, y, OUT))
    assert [n.op for n in nodes] == [Op.SOFTMAX, Op.QUANTIZE]
    assert params[nodes[0].output] == OPS[Op.SOFTMAX].output_params
    assert params[nodes[1].output] == OUT.params


def test_fewer_codes_become_a_clamp() -> None:
    b = GraphBuilder()
    x = rounded(b, b.input("x", IMAGE), IN)
    y = rounded(b, conv(b, x, "first"), FakeQuantAttrs(1 / 128, -128, -128, -1))
    z = b.node(Op.SIGMOID, [y], None, "bent")
    z = rounded(b, z, FakeQuantAttrs(1 / 256, -128, -128, 0))
    graph = quantize_model(b.build(y, z), None)
    inputs = random_inputs(graph, 50)
    codes = run_reference(graph, inputs)
    assert [codes[name].max() for name in graph.outputs] == [-1, 0]
    assert [n.op for n in graph.nodes] == [Op.CONV_2D, Op.SIGMOID, Op.CLAMP]


def test_a_graph_without_scales_stays_as_it_is() -> None:
    b = GraphBuilder()
    graph = b.build(conv(b, b.input("x", IMAGE), "first", quant=False))
    found = take_given_scales(graph)
    assert found.graph is graph
    assert not found.params


def test_fake_quantization() -> None:
    attrs = FakeQuantAttrs(0.5, 1, -2, 5)
    x = np.float32([-9, -1.5, -0.25, 0.25, 0.75, 2.0, 9])
    found = OPS[Op.FAKE_QUANT].evaluate(attrs, x)
    np.testing.assert_array_equal(found, np.float32([-1.5, -1.5, 0, 0, 1, 2, 2]))
    np.testing.assert_array_equal(OPS[Op.FAKE_QUANT].evaluate(attrs, found), found)


@pytest.mark.parametrize("fields", [(0.0, 0), (float("nan"), 0), (1.0, -129), (1.0, 4, -3, 3)])
def test_scales_that_are_none(fields: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"scale|within int8"):
        FakeQuantAttrs(*fields)
