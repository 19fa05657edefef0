"""What does not fit a target's memory is refused in bytes, with the boards that have room."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.graphs import GraphBuilder
from tinyflow.cli.main import main
from tinyflow.ir import Op
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.pipeline.room import CODE_BYTES, Need, boards_with_room, need_of


def wide_layer(path: Path, features: int) -> Path:
    """One fully connected layer of ``features`` squared weights."""
    weight = numpy_helper.from_array(np.ones((features, features), np.float32), "w")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, features]) for name in "xy"]
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="wide")
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def test_weights_beyond_flash_are_refused_in_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = wide_layer(tmp_path / "wide.onnx", 1500)
    assert main(["check", str(model), "--target", "stm32h743"]) == 1
    out = capsys.readouterr().out
    assert (
        "the weights alone need 2,250,000 bytes of flash at one byte each, stm32h743 has 2,097,152"
    ) in out
    assert "boards with room for it: alif-e7, stm32n6570-dk" in out


def test_a_model_that_fits_names_no_boards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = wide_layer(tmp_path / "narrow.onnx", 100)
    assert main(["check", str(model), "--target", "stm32h743", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["weight_bytes"] == 10_000
    assert verdict["table_bytes"] == 12 * 100
    assert verdict["memory_problems"] == verdict["boards_with_room"] == []


def test_weights_count_once_and_tables_by_channel() -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 8, 8, 6))
    w = b.random("w", (1, 3, 3, 6))
    padding = ((1, 1), (1, 1))
    y = b.node(Op.DEPTHWISE_CONV_2D, [x, w], DepthwiseConv2DAttrs(padding=padding))
    y = b.node(Op.DEPTHWISE_CONV_2D, [y, w], DepthwiseConv2DAttrs(padding=padding))
    need = need_of(b.build(b.node(Op.TANH, [y])))
    assert need.weight_bytes == 54
    assert need.table_bytes == 2 * 12 * 6 + 256
    assert need.arena_bytes == 2 * 8 * 8 * 6


@pytest.mark.parametrize(
    ("need", "fits", "lacks"),
    [
        (Need(300_000, 900_000, 20_000), {"stm32f746", "nrf5340"}, set()),
        (Need(327_680, 10, 10), {"stm32h743"}, {"stm32f746"}),
        (Need(10, (2 << 20) - CODE_BYTES, 0), {"stm32h743", "nucleo-l4r5zi"}, {"nrf5340"}),
        (Need(10, (2 << 20) - CODE_BYTES, 1), {"alif-e7"}, {"stm32h743", "stm32h7a3"}),
        (Need(5 << 20, 10, 10), set(), {"alif-e7", "stm32n6570-dk"}),
    ],
)
def test_boards_need_room_in_both_memories(need: Need, fits: set[str], lacks: set[str]) -> None:
    found = set(boards_with_room(need))
    assert fits <= found
    assert not lacks & found
    assert not any(name.startswith(("mps", "cortex", "host")) for name in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "nbytes"), [("tinynext_m", 2_304_752), ("edgenext_xs", 2_312_148)]
)
def test_seed_models_too_large_for_two_megabytes(
    model: str, nbytes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    assert main(["check", model, "--target", "stm32h743", "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["weight_bytes"] == nbytes
    assert f"{nbytes:,} bytes of flash" in verdict["memory_problems"][0]
    assert verdict["boards_with_room"] == ["alif-e7", "stm32n6570-dk"]
