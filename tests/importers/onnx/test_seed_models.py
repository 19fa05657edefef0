"""Small members of the three families of seed models, from every exporter."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from torch import Tensor, nn  # noqa: E402

from tests.support.onnx_models import ops  # noqa: E402
from tests.support.torch_programs import assert_equal_to_torch, examples  # noqa: E402
from tinyflow.importers import load_model  # noqa: E402
from tinyflow.importers.torch import import_module  # noqa: E402
from tinyflow.ir import Graph, Op  # noqa: E402
from tinyflow.models import build_network, randomize  # noqa: E402
from tinyflow.models.sizes import (  # noqa: E402
    EdgeNeXtSize,
    NextViTBlock,
    NextViTSize,
    TinyNeXtSize,
)

SIDE = 64
SIZES = {
    "tinynext": TinyNeXtSize((8, 8, 16, 16), (1, 1, 2, 1)),
    # 20 channels in three groups: 7, 7 and 6.
    "edgenext": EdgeNeXtSize((8, 16, 20, 24), (1, 1, 1, 1), heads=2),
    "nextvit": NextViTSize(
        stages=(
            (NextViTBlock(16),),
            (NextViTBlock(16), NextViTBlock(32, transformer=True)),
            (NextViTBlock(32, transformer=True),),
            (NextViTBlock(32, transformer=True),),
        ),
        stem=(8, 8, 8, 8),
        group=8,
    ),
}
EXPORTERS: dict[str, dict[str, Any]] = {
    "legacy opset 17": {"dynamo": False, "opset_version": 17},
    "dynamo opset 18": {"dynamo": True, "opset_version": 18},
    "dynamo opset 23": {"dynamo": True, "opset_version": 23},
}


class Families(nn.Module):
    """All three networks on one picture: exporters take long to begin."""

    def __init__(self) -> None:
        super().__init__()
        networks = {name: build_network(size, 5, SIDE) for name, size in SIZES.items()}
        self.networks = nn.ModuleDict({k: randomize(n, seed=0) for k, n in networks.items()})

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(network(x) for network in self.networks.values())


@pytest.fixture(scope="module")
def families() -> nn.Module:
    return Families().eval()


@pytest.fixture(scope="module")
def direct(families: nn.Module) -> dict[Op, int]:
    """What is left of the same networks when they come without ONNX."""
    graph = import_module(families, examples(((1, 3, SIDE, SIDE),)))
    return products(assert_equal_to_torch(graph, families))


def products(graph: Graph) -> dict[Op, int]:
    """How often what decides over time and memory occurs."""
    costly = (Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.MATMUL, Op.ATTENTION, Op.CROSS_COVARIANCE)
    tokens = {Op.FULLY_CONNECTED: Op.CONV_2D}
    found = [tokens.get(op, op) for op in ops(graph)]
    return {op: found.count(op) for op in costly}


@pytest.mark.slow
@pytest.mark.parametrize("exporter", EXPORTERS)
def test_exported_models(
    exporter: str, families: nn.Module, direct: dict[Op, int], tmp_path: Path
) -> None:
    path = tmp_path / "families.onnx"
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            families,
            examples(((1, 3, SIDE, SIDE),)),
            str(path),
            verbose=False,
            **EXPORTERS[exporter],
        )
    final = assert_equal_to_torch(load_model(path), families)
    assert products(final) == direct
    assert Op.BATCH_NORM not in ops(final)
