"""The seed models through every exporter: nothing moves at run time, attention is recognised."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.double import assert_exact, in_double
from tests.support.seed_models import reduced_model
from tinyflow.importers import load_model
from tinyflow.ir import Graph, Op
from tinyflow.passes import run_passes

pytestmark = pytest.mark.slow

# Not divisible by 32: maps of 36, 18, 9 and 5 or 4 pixels a side, so that the last window of a
# pool is cut, and tokens are left over where they are averaged.
RESOLUTION = 72

# Exporters write the square root in a GELU that they take apart with seven digits.
TOLERANCE = 1e-7

ATTENTIONS = {
    "tinynext": {Op.ATTENTION: 2},
    "edgenext": {Op.CROSS_COVARIANCE: 3},
    "edgenext_bn_hs": {Op.CROSS_COVARIANCE: 3},
    "nextvit": {Op.ATTENTION: 3},
}
GONE = (Op.TRANSPOSE, Op.MATMUL, Op.SOFTMAX, Op.DIV, Op.BATCH_NORM, Op.ERF, Op.L2_NORM)


def exported(module: Any, path: Path, opset: int, dynamo: bool, resolution: int) -> Graph:
    torch = pytest.importorskip("torch")
    picture = torch.randn(1, 3, resolution, resolution)
    torch.onnx.export(module, (picture,), str(path), opset_version=opset, dynamo=dynamo)
    return load_model(path)


def settled(graph: Graph) -> Counter[Op]:
    """How often each operation is left; the result is exact and at rest."""
    graph = in_double(graph)
    after = run_passes(graph)
    assert_exact(after, graph, batch=1, tolerance=TOLERANCE)
    assert run_passes(after) is after
    counts = Counter(node.op for node in after.nodes)
    assert not any(counts[op] for op in GONE), counts
    return counts


@pytest.mark.parametrize("family", ATTENTIONS)
def test_legacy_exporter(family: str, tmp_path: Path) -> None:
    module = reduced_model(family, RESOLUTION)
    counts = settled(exported(module, tmp_path / "m.onnx", 17, False, RESOLUTION))
    assert {op: counts[op] for op in ATTENTIONS[family]} == ATTENTIONS[family]
    if family == "nextvit":
        # What the windows of two of the three poolings of tokens leave over.
        assert counts[Op.SLICE] == 2
        assert counts[Op.MEAN] == 3


@pytest.mark.parametrize(("family", "opset"), [("edgenext", 18), ("tinynext", 20), ("nextvit", 23)])
def test_dynamo_exporter(family: str, opset: int, tmp_path: Path) -> None:
    module = reduced_model(family, RESOLUTION)
    counts = settled(exported(module, tmp_path / "m.onnx", opset, True, RESOLUTION))
    assert {op: counts[op] for op in ATTENTIONS[family]} == ATTENTIONS[family]


@pytest.mark.parametrize(
    ("name", "op", "blocks"),
    [
        ("tinynext_t", Op.ATTENTION, 6),
        ("edgenext_xxs", Op.CROSS_COVARIANCE, 3),
        ("nextvit_s", Op.ATTENTION, 4),
    ],
)
def test_smallest_sizes(name: str, op: Op, blocks: int, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tinyflow.models import build_model, randomize

    module = randomize(build_model(name, 10, 64), 1)
    assert settled(exported(module, tmp_path / "m.onnx", 17, False, 64))[op] == blocks


def test_a_network_of_timm(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tests.support.timm_models import timm_model

    module = timm_model("edgenext_xx_small", 10)
    graph = exported(module, tmp_path / "m.onnx", 17, False, RESOLUTION)
    assert settled(graph)[Op.CROSS_COVARIANCE] == 3
