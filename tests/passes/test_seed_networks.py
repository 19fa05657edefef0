"""The seed models after all passes: what is left of them, and that they compute the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.support.double import assert_exact, in_double
from tests.support.seed_models import REDUCED, reduced_model
from tinyflow.ir import Graph, Op
from tinyflow.passes import run_passes

pytestmark = pytest.mark.slow

RESOLUTION = 64

LEFT: dict[str, dict[Op, int]] = {
    "tinynext": {
        Op.CONV_2D: 24,
        Op.DEPTHWISE_CONV_2D: 8,
        Op.ADD: 7,
        Op.ATTENTION: 2,
        Op.GELU: 3,
        Op.MEAN: 2,
        Op.CHANNEL_GATE: 1,
        Op.RESHAPE: 1,
        Op.FULLY_CONNECTED: 1,
    },
    "edgenext": {
        Op.CONV_2D: 28,
        Op.DEPTHWISE_CONV_2D: 9,
        Op.LAYER_NORM: 14,
        Op.GELU: 6,
        Op.ADD: 13,
        Op.SLICE: 9,
        Op.CONCAT: 3,
        Op.CROSS_COVARIANCE: 3,
        Op.MEAN: 1,
        Op.FULLY_CONNECTED: 1,
    },
    # Three depthwise convolutions more: the norms that a residual and the attention both read.
    "edgenext_bn_hs": {
        Op.CONV_2D: 28,
        Op.DEPTHWISE_CONV_2D: 12,
        Op.HARD_SWISH: 6,
        Op.ADD: 13,
        Op.SLICE: 9,
        Op.CONCAT: 3,
        Op.CROSS_COVARIANCE: 3,
        Op.MEAN: 1,
        Op.FULLY_CONNECTED: 1,
    },
    "nextvit": {
        Op.CONV_2D: 46,
        Op.ADD: 17,
        Op.AVERAGE_POOL: 3,
        Op.RESHAPE: 2,
        Op.MEAN: 3,
        Op.FULLY_CONNECTED: 5,
        Op.ATTENTION: 3,
        Op.CONCAT: 3,
    },
}


def canonical(module: Any) -> Graph:
    """Imported in double precision and rewritten; equal to what was imported."""
    pytest.importorskip("torch")
    from tinyflow.importers.torch import import_module
    from tinyflow.models import example_inputs

    graph = in_double(import_module(module, (example_inputs(module, 1),)))
    after = run_passes(graph)
    assert_exact(after, graph, batch=1)
    assert run_passes(after) is after
    return after


def count(graph: Graph) -> dict[Op, int]:
    return dict(Counter(node.op for node in graph.nodes))


@pytest.mark.parametrize("family", REDUCED)
def test_reduced_networks(family: str) -> None:
    after = canonical(reduced_model(family, RESOLUTION))
    assert count(after) == LEFT[family]
    assert pointwise_depthwise(after) == (3 if family == "edgenext_bn_hs" else 0)
    affine = [n.name for n in after.nodes if n.op is Op.LAYER_NORM and len(n.inputs) > 1]
    # That of the stem, which a residual and a padded convolution read.
    assert affine == (["downsample_layers.0.1/layer_norm"] if family == "edgenext" else [])
    for node in [n for n in after.nodes if n.op is Op.ATTENTION]:
        keys = after.producer(node.inputs[1])
        assert keys is not None
        assert family == "tinynext" or len(keys.inputs) == 2


def pointwise_depthwise(graph: Graph) -> int:
    """Scales per channel that found no layer to fold into."""
    weights = [
        graph.tensors[n.inputs[1]].shape for n in graph.nodes if n.op is Op.DEPTHWISE_CONV_2D
    ]
    return sum(shape[1:3] == (1, 1) for shape in weights)


@pytest.mark.parametrize("name", ["tinynext_t", "tinynext_s", "tinynext_m"])
def test_tinynext_keeps_no_norm_and_no_local_residual(name: str) -> None:
    pytest.importorskip("torch")
    from tinyflow.models import build_model, model_spec, randomize
    from tinyflow.models.sizes import TinyNeXtSize

    size = model_spec(name).size
    assert isinstance(size, TinyNeXtSize)
    first, second, former, squeezing = size.depths
    after = canonical(randomize(build_model(name, 10, RESOLUTION), 1))
    assert count(after) == {
        # Stem, three embeddings, two in MV2 blocks, four in Former and SE blocks.
        Op.CONV_2D: 2 + 6 + 2 * (first + second) + 4 * (former + squeezing),
        Op.DEPTHWISE_CONV_2D: 3 + first + second + former + squeezing,
        # The shortcut around attention and that around the MLP; none around local convolutions.
        Op.ADD: first + second + 2 * former + squeezing,
        Op.ATTENTION: former,
        Op.CHANNEL_GATE: squeezing,
        Op.GELU: former + squeezing,
        Op.MEAN: squeezing + 1,
        Op.RESHAPE: 1,
        Op.FULLY_CONNECTED: 1,
    }
    assert pointwise_depthwise(after) == 0
    for node in [n for n in after.nodes if n.op is Op.ATTENTION]:
        # Keys are the map itself, which the shortcut around attention reads too.
        assert any(reader.op is Op.ADD for reader in after.consumers(node.inputs[1]))
