"""Our EdgeNeXt and Next-ViT against timm's, given the same random weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tinyflow.models import build_model, example_inputs, load_checkpoint, randomize

torch = pytest.importorskip("torch")

from tests.support.timm_models import timm_model  # noqa: E402

EDGENEXT = {
    "edgenext_xxs": "edgenext_xx_small",
    "edgenext_xs": "edgenext_x_small",
    "edgenext_s": "edgenext_small",
}
NEXTVIT = {"nextvit_s": "nextvit_small"}


def timm_name(name: str, depths: tuple[int, ...]) -> str:
    """Our names (the authors') in timm's words, by rules of their own."""
    edgenext = {
        r"^downsample_layers\.0\.": "stem.",
        r"^downsample_layers\.(\d)\.": r"stages.\1.downsample.",
        r"^stages\.(\d)\.(\d+)\.": r"stages.\1.blocks.\2.",
        r"\.dwconv\.": ".conv_dw.",
        r"\.pwconv(\d)\.": r".mlp.fc\1.",
        r"^norm\.": "head.norm.",
        r"^head\.(weight|bias)$": r"head.fc.\1",
    }
    nextvit = {r"\.mlp\.conv(\d)\.": r".mlp.fc\1.", r"^proj_head\.0\.": "head.fc."}
    for pattern, replacement in (nextvit if depths else edgenext).items():
        name = re.sub(pattern, replacement, name)
    if match := re.match(r"features\.(\d+)\.(.*)", name):
        stage, block = 0, int(match[1])
        while block >= depths[stage]:
            stage, block = stage + 1, block - depths[stage]
        name = f"stages.{stage}.blocks.{block}.{match[2]}"
    return name


def as_timm(ours: Any, name: str) -> Any:
    """timm's network with the weights of ours."""
    theirs = timm_model(name)
    depths = getattr(ours, "depths", ())
    theirs.load_state_dict({timm_name(k, depths): v for k, v in ours.state_dict().items()})
    return theirs


def relative_difference(actual: Any, expected: Any) -> float:
    return float((actual - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", EDGENEXT)
def test_edgenext(name: str) -> None:
    ours = randomize(build_model(name, resolution=96), seed=3)
    theirs = as_timm(ours, EDGENEXT[name])
    x = example_inputs(ours, 2, seed=5)
    with torch.no_grad():
        assert relative_difference(ours(x), theirs(x)) < 1e-5


def test_nextvit_in_double_precision() -> None:
    """At 80 the token pools leave tokens out, and their windows wrap across rows."""
    ours = randomize(build_model("nextvit_s", resolution=80), seed=3)
    theirs = as_timm(ours, "nextvit_small").double()
    x = example_inputs(ours, 1, seed=5).double()
    with torch.no_grad():
        assert relative_difference(ours.double()(x), theirs(x)) < 1e-12


@pytest.mark.slow
def test_largest_nextvit_in_double_precision() -> None:
    ours = randomize(build_model("nextvit_l", resolution=64), seed=3)
    theirs = as_timm(ours, "nextvit_large")
    x = example_inputs(ours, 1, seed=5).double()
    with torch.no_grad():
        assert relative_difference(ours.double()(x), theirs.double()(x)) < 1e-12


@pytest.mark.slow
def test_edgenext_b() -> None:
    ours = randomize(build_model("edgenext_b", resolution=96), seed=3)
    theirs = as_timm(ours, "edgenext_base")
    x = example_inputs(ours, 1, seed=5)
    with torch.no_grad():
        assert relative_difference(ours(x), theirs(x)) < 1e-5


@pytest.mark.parametrize("name", ["edgenext_xxs", "nextvit_s"])
def test_loads_the_weights_of_timm(name: str, tmp_path: Path) -> None:
    theirs = timm_model({**EDGENEXT, **NEXTVIT}[name])
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    ours = load_checkpoint(build_model(name, resolution=64), tmp_path / "weights.pth")
    x = example_inputs(ours, 1)
    with torch.no_grad():
        assert relative_difference(ours(x), theirs(x)) < 1e-5
