"""Bounds of codes and accumulators: never passed, and reached where a layer reads the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.paths import shared
from tests.support.random_graphs import random_graph, random_inputs
from tests.support.requants import reference, telling_accumulators
from tinyflow.codegen.c.dsp.requant import (
    GenericRequant,
    Problem,
    ShortRequant,
    code_bounds,
    find_requant,
    reachable,
    search,
)
from tinyflow.importers import load_model
from tinyflow.ir import Graph, Node, Op, Rounding
from tinyflow.ir.integer import AccumulateForm
from tinyflow.ir.ops import conv2d, depthwise_conv2d, transpose_conv2d
from tinyflow.passes import run_passes
from tinyflow.quantize import attach_integers, run_reference

_LAYERS = (Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED, Op.TRANSPOSE_CONV_2D)


def dense(attrs: Any, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return x @ w.T


SUMS = {
    Op.CONV_2D: conv2d.accumulate,
    Op.DEPTHWISE_CONV_2D: depthwise_conv2d.accumulate,
    Op.TRANSPOSE_CONV_2D: transpose_conv2d.accumulate,
    Op.FULLY_CONNECTED: dense,
}


def summing_nodes(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if isinstance(node.integer, AccumulateForm)]


def accumulators(graph: Graph, node: Node, codes: np.ndarray) -> np.ndarray:
    """[..., channels], for input codes [n, ...]."""
    operands = graph.operands(node)
    form: Any = node.integer
    x = codes.astype(np.int64) - operands[0].params.zero_point
    sums = SUMS[node.op](node.attrs, x, operands[1].value.astype(np.int64) - form.weight_zero)
    return sums + operands[2].value if len(operands) > 2 else sums


@pytest.mark.parametrize("seed", range(24))
def test_nothing_passes_the_bounds(seed: int) -> None:
    graph = random_graph(seed, max_nodes=8)
    codes: dict[str, np.ndarray] = {}
    inputs = random_inputs(graph, 4)
    for name, array in inputs.items():
        # Runs of extreme codes drive the sums to their ends.
        limits = np.iinfo(array.dtype)
        array[1], array[2] = limits.min, limits.max
        codes[name] = array
    run_reference(graph, inputs, observe=codes.__setitem__)
    for name, array in codes.items():
        lo, hi = code_bounds(graph, name)
        channels = array.reshape(-1, len(lo)).astype(np.int64)
        assert (lo <= channels.min(axis=0)).all(), name
        assert (channels.max(axis=0) <= hi).all(), name
    for node in summing_nodes(graph):
        lo, hi = reachable(graph, node)
        sums = accumulators(graph, node, codes[node.inputs[0]]).reshape(-1, len(lo))
        assert (lo <= sums.min(axis=0)).all(), node.name
        assert (sums.max(axis=0) <= hi).all(), node.name


@pytest.mark.parametrize("op", _LAYERS)
def test_bounds_are_reached(op: Op) -> None:
    """Inputs that are, at each tap, the code that the weight's sign asks for."""
    reached = 0
    for seed in range(12):
        graph = random_graph(seed, ops=[op], max_nodes=1)
        (node,) = summing_nodes(graph)
        lo, hi = reachable(graph, node)
        source = graph.operands(node)[0]
        zero = source.params.zero_point
        # The sums are linear in the codes: their slopes tell the input that is worst for one.
        flat = np.eye(source.elements, dtype=np.int64).reshape(-1, *source.shape[1:]) + zero
        slopes = accumulators(graph, node, flat).reshape(source.elements, -1, len(lo))
        none = accumulators(graph, node, flat[:1] * 0 + zero).reshape(1, -1, len(lo))
        slopes = slopes - none
        least = none[0] + np.where(slopes > 0, slopes * (-128 - zero), slopes * (127 - zero)).sum(0)
        most = none[0] + np.where(slopes > 0, slopes * (127 - zero), slopes * (-128 - zero)).sum(0)
        assert (lo <= least.min(axis=0)).all()
        assert (most.max(axis=0) <= hi).all()
        reached += (lo == least.min(axis=0)).all() and (hi == most.max(axis=0)).all()
    assert reached >= 3


@pytest.mark.parametrize(
    "file, channels",
    [("kws_ref_model.tflite", 588), ("pretrainedResnet_quant.tflite", 346)],
)
def test_every_channel_of_known_models_is_short(file: str, channels: int) -> None:
    graph = attach_integers(run_passes(load_model(shared(f"mlperf_tiny/{file}"))))
    assert graph.rounding is not None
    rng = np.random.default_rng(9)
    proven = 0
    for node in summing_nodes(graph):
        form: Any = node.integer
        lo, hi = reachable(graph, node)
        zero = graph.result(node).params.zero_point
        found = find_requant(form, lo, hi, zero, graph.rounding, preshifted=True)
        assert isinstance(found, ShortRequant)
        assert found.cycles <= (2 if zero == -128 else 4), node.name
        proven += int(found.short.sum())
        problem = Problem(
            form.multiplier, form.shift, graph.rounding, zero, form.lo, form.hi, lo, hi, 8
        )
        acc = telling_accumulators(problem, rng, 200)
        np.testing.assert_array_equal(found.apply(acc), reference(problem, acc))
    assert proven == channels


def test_a_layer_without_a_short_form_is_generic() -> None:
    """Sums that fill 32 bits have no room in any lifted register, and this scale needs them all."""
    full = np.array([2**31 - 1])
    problem = Problem(
        np.array([2**30 + 12345]),
        np.array([-22]),
        Rounding.DOUBLE,
        5,
        -128,
        127,
        -full,
        full,
        0,
    )
    found = search(problem)
    acc = telling_accumulators(problem, np.random.default_rng(1), 2000)
    np.testing.assert_array_equal(found.apply(acc), reference(problem, acc))
    assert isinstance(found, GenericRequant)
    assert found.wide
