"""The trained reduced networks in tests/data/hybrids: whole, trained, and sound in int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tinyflow.models import example_inputs

torch = pytest.importorskip("torch")

from benchmarks.train_hybrids import NETWORKS, load_hybrid  # noqa: E402

HYBRIDS = ROOT / "tests" / "data" / "hybrids"
SMALLEST_TOP1 = 60
LARGEST_FILE = 1_500_000
BLOCKS = {
    "tinynext_cifar10": {"InvertedBottleneck", "FormerBlock", "SqueezeExciteBlock"},
    "edgenext_cifar10": {"ConvEncoder", "SplitAttention", "PositionalEncoding"},
}


@pytest.fixture(scope="module", params=NETWORKS)
def place(request: pytest.FixtureRequest) -> Path:
    return HYBRIDS / f"{request.param}.pt"


def pictures(model: Any, facts: dict[str, Any], count: int, seed: int) -> Any:
    """Random pictures on the scale that the network was trained on."""
    model.preprocessing = type(model.preprocessing)(
        (facts["x_zero_point"] / 255,) * 3, (1 / facts["x_scale"] / 255,) * 3
    )
    return example_inputs(model, count, seed)


def test_options_stand_beside_the_weights(place: Path) -> None:
    model, facts = load_hybrid(place)
    network = NETWORKS[place.stem]
    assert facts["training"]["epochs"] == network.epochs
    assert (facts["x_scale"], facts["x_zero_point"]) == (network.x_scale, network.x_zero_point)
    assert facts["float_top1_percent"] > SMALLEST_TOP1
    assert place.stat().st_size < LARGEST_FILE
    assert 100_000 < sum(p.numel() for p in model.parameters()) < 300_000


def test_every_kind_of_block_is_there(place: Path) -> None:
    model, _ = load_hybrid(place)
    assert {type(module).__name__ for module in model.modules()} >= BLOCKS[place.stem]


@pytest.mark.slow
def test_int8_follows_float(place: Path) -> None:
    """On pictures of no particular class, so only the logits are compared."""
    from tinyflow.data import input_specs
    from tinyflow.importers.torch import import_module
    from tinyflow.passes import run_passes
    from tinyflow.quantize import QuantizeOptions, compare_layers, quantize_and_record
    from tinyflow.quantize.metrics import logit_tensors

    model, facts = load_hybrid(place)
    graph = run_passes(import_module(model, (pictures(model, facts, 1, 0),)))
    (spec,) = input_specs(graph)
    calibration, test = (
        {spec.name: spec.to_stored(pictures(model, facts, count, seed).numpy())}
        for count, seed in ((64, 1), (32, 2))
    )
    done = quantize_and_record(graph, calibration, QuantizeOptions())
    errors = compare_layers(graph, done.graph, test)
    assert min(e.sqnr_db for e in errors if e.tensor in logit_tensors(graph)) > 25
