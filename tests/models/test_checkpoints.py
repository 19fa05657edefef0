"""Weights from files, in the layouts in which they are published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from tests.support.seed_models import REDUCED, reduced_model
from tinyflow.errors import ModelError
from tinyflow.models import build_network, load_checkpoint

torch = pytest.importorskip("torch")

from tinyflow.models.tinynext import TinyNeXtBackbone  # noqa: E402


def fresh(family: str, classes: int = 10) -> Any:
    return build_network(REDUCED[family], classes, 64)


def written(content: Any, folder: Path) -> Path:
    path = folder / "weights.pth"
    torch.save(content, path)
    return path


def assert_same(one: Any, other: Any) -> None:
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@pytest.mark.parametrize("wrapper", [None, "model", "state_dict"])
@pytest.mark.parametrize("family", REDUCED)
def test_layouts(family: str, wrapper: str | None, tmp_path: Path) -> None:
    trained = reduced_model(family)
    weights = trained.state_dict()
    content = weights if wrapper is None else {wrapper: weights, "epoch": 299}
    assert_same(load_checkpoint(fresh(family), written(content, tmp_path)), trained)


def test_edgenext_prefers_the_averaged_weights(tmp_path: Path) -> None:
    last, averaged = reduced_model("edgenext", seed=1), reduced_model("edgenext", seed=2)
    path = written({"model": last.state_dict(), "model_ema": averaged.state_dict()}, tmp_path)
    assert_same(load_checkpoint(fresh("edgenext"), path), averaged)
    assert_same(load_checkpoint(fresh("edgenext"), path, weights="model"), last)


def test_options_and_training_on_several_devices(tmp_path: Path) -> None:
    trained = reduced_model("tinynext")
    weights = {f"module.{name}": value for name, value in trained.state_dict().items()}
    path = written({"model": weights, "args": argparse.Namespace(lr=0.1)}, tmp_path)
    assert_same(load_checkpoint(fresh("tinynext"), path), trained)


def test_linear_layers_and_convolutions_of_one_pixel_are_the_same(tmp_path: Path) -> None:
    trained = reduced_model("tinynext")
    weights = trained.state_dict()
    for name in [name for name in weights if ".mlp.1." in name and name.endswith("weight")]:
        weights[name] = weights[name][:, :, 0, 0]
    assert_same(load_checkpoint(fresh("tinynext"), written(weights, tmp_path)), trained)


def test_counters_of_batch_norm_may_be_missing(tmp_path: Path) -> None:
    trained = reduced_model("tinynext")
    weights = {k: v for k, v in trained.state_dict().items() if "num_batches" not in k}
    assert_same(load_checkpoint(fresh("tinynext"), written(weights, tmp_path)), trained)


def test_a_backbone_leaves_the_head_aside(tmp_path: Path) -> None:
    trained = reduced_model("tinynext")
    size: Any = REDUCED["tinynext"]
    loaded = load_checkpoint(TinyNeXtBackbone(size), written(trained.state_dict(), tmp_path))
    assert_same(loaded, trained)


def test_a_head_of_another_size_is_named(tmp_path: Path) -> None:
    path = written({"model": fresh("tinynext", 7).state_dict()}, tmp_path)
    with pytest.raises(ModelError, match=r"head 'class_head\.weight' has 7 classes.*has 10") as at:
        load_checkpoint(fresh("tinynext"), path)
    assert "num_classes=7" in at.value.hint


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = written(fresh("nextvit").state_dict(), tmp_path)
    with pytest.raises(ModelError, match=r"missing \(embeds.*not in the model \(stem"):
        load_checkpoint(fresh("tinynext"), path)


def test_a_wrong_shape_is_named(tmp_path: Path) -> None:
    weights = fresh("tinynext").state_dict()
    weights["embeds.0.0.0.weight"] = torch.zeros(6, 3, 3, 3)
    message = r"'embeds\.0\.0\.0\.weight' has the shape \(6, 3, 3, 3\), the model's has \(4, 3"
    with pytest.raises(ModelError, match=message):
        load_checkpoint(fresh("tinynext"), written(weights, tmp_path))


def test_other_entries_are_listed(tmp_path: Path) -> None:
    path = written({"network": fresh("tinynext").state_dict(), "epoch": 3}, tmp_path)
    with pytest.raises(ModelError, match="no weights under model, state_dict") as raised:
        load_checkpoint(fresh("tinynext"), path)
    assert raised.value.hint == "the file has network, epoch"


class Unknown:
    pass


def test_nothing_but_tensors_is_loaded(tmp_path: Path) -> None:
    path = written({"model": fresh("tinynext").state_dict(), "other": Unknown()}, tmp_path)
    with pytest.raises(ModelError, match="holds more than tensors"):
        load_checkpoint(fresh("tinynext"), path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such file"):
        load_checkpoint(fresh("tinynext"), tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("not a checkpoint")
    with pytest.raises(ModelError, match=r"text\.pth"):
        load_checkpoint(fresh("tinynext"), tmp_path / "text.pth")
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(ModelError, match=r"empty\.pth"):
        load_checkpoint(fresh("tinynext"), tmp_path / "empty.pth")
