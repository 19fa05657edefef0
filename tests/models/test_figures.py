"""The figures that `tinyflow models` shows are those that the models have."""

from __future__ import annotations

import json

import pytest

from tests.support.seed_counts import MACS, PARAMETERS
from tinyflow.cli.main import main
from tinyflow.models import list_models, model_spec
from tinyflow.models.figures import load_figures
from tinyflow.models.registry import Task


def test_every_model_has_figures() -> None:
    figures = load_figures()
    assert tuple(figures) == list_models()
    assert {name: known.parameters for name, known in figures.items()} == PARAMETERS
    assert {name: figures[name].macs for name in MACS} == MACS


@pytest.mark.parametrize("name", list_models())
def test_weights_take_a_byte_each(name: str) -> None:
    """Norms fold away; a dilated kernel loses the taps that meet padding only."""
    known = load_figures()[name]
    assert known.weight_bytes is not None
    least = 0.8 if model_spec(name).task is Task.SEGMENTATION else 0.97
    assert least * known.parameters < known.weight_bytes < known.parameters


@pytest.mark.slow
def test_figures_of_a_model_measured_again() -> None:
    pytest.importorskip("torch")
    from benchmarks.models import measure

    assert measure("tinynext_t", arena=True) == load_figures()["tinynext_t"]


def test_the_command_prints_a_row_per_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["MODEL", "TASK", "INPUT", "CLASSES"]
    assert [row.split()[0] for row in rows] == list(list_models())
    assert "1,029,208" in rows[0]
    assert "253 M" in rows[0]


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    models = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert tuple(models) == list_models()
    first = models["tinynext_t"]
    assert first["macs"] == 252_598_464
    assert first["mean"] == list(model_spec("tinynext_t").preprocessing.mean)
    assert models["edgenext_s_ssdlite"]["task"] == "detection"
