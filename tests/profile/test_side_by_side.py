"""The benchmark that compares backends, on a model of a few layers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.side_by_side import main
from tests.support.random_graphs import random_graph
from tinyflow.ir import Op, serialize
from tinyflow.targets.build_tflite_micro import CMSIS_NN, DIRECTORY

pytest.importorskip("tvm")


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "small.tfq"
    path.write_bytes(serialize.to_bytes(random_graph(3, (Op.CONV_2D, Op.GELU), max_nodes=2)))
    return str(path)


@pytest.mark.slow
def test_every_way_has_its_line(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, names = [model, "--json"], ["c", "tvm"]
    if os.environ.get(DIRECTORY):
        arguments += ["--tflite-micro", os.environ[DIRECTORY]]
        names.append("tflm")
        if os.environ.get(CMSIS_NN):
            arguments += ["--cmsis-nn", os.environ[CMSIS_NN]]
            names.append("tflm, cmsis")
    before = dict(os.environ)
    assert main(arguments) == 0
    assert dict(os.environ) == before
    rows = json.loads(capsys.readouterr().out)
    assert [row["way"] for row in rows] == names
    for row in rows:
        assert row["exact"] is True
        assert 0 < row["instructions"] <= row["cycles"]
        assert row["arena_bytes"] < row["ram_bytes"]
        assert row["code_bytes"] < row["flash_bytes"]
    assert len({row["cycles"] for row in rows}) == len(rows)


def test_kernels_without_their_interpreter_are_refused(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([model, "--cmsis-nn", "somewhere"])
    assert "--cmsis-nn needs --tflite-micro" in capsys.readouterr().err
