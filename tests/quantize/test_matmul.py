"""MATMUL, code by code as TFLite Micro computes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.errors import UnsupportedError
from tinyflow.ir import DType, Graph, Op, QuantParams, Rounding, Shape, execute
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.quantize import attach_integers, quantize_model, run_reference
from tinyflow.quantize.fixed_point import quantize_multiplier, requantize_by

CODES = np.arange(-128, 128).astype(np.int8)
PLAIN = MatmulAttrs()
ALL_PAIRS = {"a": CODES[None, :, None], "b": CODES[None, None]}


def product(
    a: Shape,
    b: Shape,
    scales: Sequence[float] = (0.031, 0.017, 0.3),
    zeros: Sequence[int] = (5, -7, 3),
    attrs: MatmulAttrs = PLAIN,
) -> Graph:
    builder = GraphBuilder()
    quants = [QuantParams.per_tensor(*pair) for pair in zip(scales, zeros, strict=True)]
    operands = [builder.input("a", a, DType.INT8, quants[0])]
    operands.append(builder.input("b", b, DType.INT8, quants[1]))
    return builder.build(builder.node(Op.MATMUL, operands, attrs, "product", quants[2]))


def assert_equal_to_tflite_micro(graph: Graph, inputs: dict[str, np.ndarray]) -> None:
    pytest.importorskip("tflite_micro")
    from tests.support.tflite_micro import run_tflite_micro

    graph = attach_integers(graph)
    expected = run_tflite_micro(graph, inputs)
    for name, codes in run_reference(graph, inputs).items():
        np.testing.assert_array_equal(codes, expected[name])


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("lead", [(1,), (1, 3)])
@pytest.mark.parametrize("zeros", [(5, -7, 3), (-128, 127, -128), (127, -128, 127)])
def test_any_layout(
    transpose_a: bool, transpose_b: bool, lead: Shape, zeros: tuple[int, ...]
) -> None:
    a = (*lead, *((70, 6) if transpose_a else (6, 70)))
    b = (*lead, *((5, 70) if transpose_b else (70, 5)))
    graph = product(a, b, zeros=zeros, attrs=MatmulAttrs(transpose_a, transpose_b))
    assert_equal_to_tflite_micro(graph, random_inputs(graph, 5))


def test_scales_are_multiplied_in_float64() -> None:
    """At scales for which their product in float32 would give another code somewhere."""
    rng, found = np.random.default_rng(1), 0
    sums = np.multiply.outer(CODES.astype(np.int64), CODES.astype(np.int64))
    while found < 3:
        scales = rng.uniform(0.01, 0.03, 3).astype(np.float32) * np.float32([1, 1, 10])
        in_float32, in_float64 = (
            requantize_by(sums, quantize_multiplier(float(real)), Rounding.DOUBLE)
            for real in (
                float(scales[0] * scales[1]) / float(scales[2]),
                float(scales[0]) * float(scales[1]) / float(scales[2]),
            )
        )
        if (np.clip(in_float32, -128, 127) == np.clip(in_float64, -128, 127)).all():
            continue
        graph = product((1, 256, 1), (1, 1, 256), [float(s) for s in scales], (0, 0, 0))
        assert_equal_to_tflite_micro(graph, ALL_PAIRS)
        found += 1


def test_sums_that_leave_32_bits_are_refused() -> None:
    zeros = (-128, -128, 0)
    longest = (2**31 - 1) // 255**2
    attach_integers(product((1, 1, longest), (1, longest, 1), zeros=zeros))
    too_long = product((1, 1, longest + 1), (1, longest + 1, 1), zeros=zeros)
    with pytest.raises(UnsupportedError, match=r"product: .* do not fit in 32 bits"):
        attach_integers(too_long)


def test_attention_is_quantized() -> None:
    """Queries by keys, a softmax, and by values: near to its floats."""
    builder = GraphBuilder()
    x = builder.input("x", (1, 6, 8))
    q, k, v, o = (builder.random(name, (8, 8)) for name in "qkvo")
    q, k, v = (builder.node(Op.FULLY_CONNECTED, [x, weight]) for weight in (q, k, v))
    scores = builder.node(Op.MATMUL, [q, k], MatmulAttrs(transpose_b=True))
    mixed = builder.node(Op.MATMUL, [builder.node(Op.SOFTMAX, [scores]), v], PLAIN)
    graph = builder.build(builder.node(Op.FULLY_CONNECTED, [mixed, o]))
    samples = {"x": np.random.default_rng(0).normal(0.0, 0.5, (64, 6, 8)).astype(np.float32)}
    (expected,) = execute(graph, samples).values()
    quantized = quantize_model(graph, samples)
    entry, result = (quantized.tensors[n] for n in (*quantized.inputs, *quantized.outputs))
    codes = {entry.name: entry.params.quantize(samples["x"], entry.dtype)}
    (actual,) = run_reference(quantized, codes).values()
    noise = result.params.dequantize(actual) - expected
    assert np.square(noise).sum() < np.square(expected).sum() / 200
