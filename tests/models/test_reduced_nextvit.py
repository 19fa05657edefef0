"""The reduced Next-ViT keeps every kind of block of the published ones, in little flash."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from benchmarks.reduced_nextvit import RESOLUTION, SIZE, nextvit  # noqa: E402
from tinyflow.models.nextvit import PooledAttention  # noqa: E402


def test_it_is_a_small_next_vit() -> None:
    model = nextvit()
    parameters = sum(p.numel() for p in model.parameters())
    assert 1_000_000 < parameters < 1_500_000
    with torch.no_grad():
        assert model(torch.zeros(1, 3, RESOLUTION, RESOLUTION)).shape == (1, 1000)


def test_it_pools_keys_as_the_published_ones_do() -> None:
    attentions = [m for m in nextvit().modules() if isinstance(m, PooledAttention)]
    windows = [m.pool.kernel_size[0] if m.pooled else 1 for m in attentions]
    assert windows == [16, 4, 1]
    assert SIZE.group == 32
    groups = {m.groups for m in nextvit().modules() if isinstance(m, torch.nn.Conv2d)}
    assert max(groups) > 1
