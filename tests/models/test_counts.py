"""Parameters and multiplications of every model against published tables, to the last digit."""

from __future__ import annotations

import pytest

from tests.support.seed_counts import MACS, PARAMETERS
from tinyflow.errors import UsageError
from tinyflow.models import build_model, build_network, list_models, model_spec
from tinyflow.models.sizes import EdgeNeXtSize, NextViTBlock, NextViTSize

torch = pytest.importorskip("torch")

BUFFERS = {"tinynext_t": 9_504, "tinynext_s": 11_136, "tinynext_m": 16_352, "nextvit_s": 40_320}


def count_macs(name: str) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    side = model_spec(name).resolution
    with torch.device("meta"):
        model, picture = build_model(name), torch.zeros(1, 3, side, side)
        with FlopCounterMode(display=False) as counter:
            model(picture)
    return int(counter.get_total_flops()) // 2


def test_every_model_is_counted() -> None:
    assert set(PARAMETERS) == set(list_models())


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    with torch.device("meta"):
        model = build_model(name)
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", BUFFERS)
def test_statistics_of_batch_norms(name: str) -> None:
    with torch.device("meta"):
        buffers = build_model(name).named_buffers()
    assert sum(b.numel() for n, b in buffers if "running" in n) == BUFFERS[name]


@pytest.mark.parametrize("name", MACS)
def test_multiplications(name: str) -> None:
    assert count_macs(name) == MACS[name]


def test_classes_and_resolution_are_free() -> None:
    full, small = build_model("tinynext_t"), build_model("tinynext_t", 10, 96)
    counts = [sum(p.numel() for p in m.parameters()) for m in (full, small)]
    assert counts[0] - counts[1] == 990 * (192 + 1)
    assert small(torch.zeros(2, 3, 96, 96)).shape == (2, 10)


@pytest.mark.parametrize("side", [96, 100])
def test_positions_follow_the_picture(side: int) -> None:
    """A network built for one resolution encodes the places of another just as well."""
    built = build_model("edgenext_xxs", 10, side)
    other = build_model("edgenext_xxs", 10, 256)
    other.load_state_dict(built.state_dict())
    x = torch.rand(1, 3, side, side)
    assert torch.equal(built(x), other(x))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no model is called 'tinynext_xl'") as raised:
        build_model("tinynext_xl")
    assert "tinynext_t, tinynext_s" in raised.value.hint


def test_sizes_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4 heads"):
        EdgeNeXtSize((8, 10, 20, 40), (1, 1, 1, 1), heads=4)
    with pytest.raises(ValueError, match="one entry per stage"):
        EdgeNeXtSize((8, 16, 24), (1, 1, 1), heads=4)
    with pytest.raises(ValueError, match="groups of 32"):
        NextViTSize(((NextViTBlock(100),),))


def test_stages_of_edgenext_may_be_fewer() -> None:
    size = EdgeNeXtSize((8, 16), (1, 1), heads=4, patch=2, kernels=(3, 5), scales=(2, 2))
    assert build_network(size, 7, 32)(torch.zeros(1, 3, 32, 32)).shape == (1, 7)
