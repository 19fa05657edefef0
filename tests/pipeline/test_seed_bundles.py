"""The seed families from PyTorch to firmware that is equal to the integer reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import tinyflow
from tests.support.seed_models import REDUCED, reduced_model
from tinyflow.bundle import Bundle
from tinyflow.ir import Op
from tinyflow.quantize import run_reference

pytestmark = pytest.mark.slow

SIDE = 64
ATTENTION = {
    "tinynext": Op.ATTENTION,
    "edgenext": Op.CROSS_COVARIANCE,
    "edgenext_bn_hs": Op.CROSS_COVARIANCE,
    "nextvit": Op.ATTENTION,
}


def pictures(folder: Path, count: int = 4, side: int = SIDE) -> Path:
    """Smooth random pictures [n, 3, h, w], so that neighbouring pixels are alike."""
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0, 255, (count, 3, 8, 8))
    x = coarse.repeat(side // 8, axis=2).repeat(side // 8, axis=3)
    path = folder / "pictures.npz"
    np.savez(path, x=(x + rng.normal(0, 8, x.shape)).clip(0, 255).astype(np.uint8))
    return path


def verdict(bundle: Bundle) -> dict[str, Any]:
    (entry,) = json.loads((bundle.path / "report.json").read_text())["verify"]
    return dict(entry)


def compile_reduced(family: str, target: str, folder: Path, **options: Any) -> Bundle:
    return tinyflow.compile(
        reduced_model(family, SIDE),
        target=target,
        shapes={"x": (1, 3, SIDE, SIDE)},
        name=family,
        calibration=pictures(folder),
        mean=(128.0,),
        std=(64.0,),
        output=folder / "bundle",
        **options,
    )


@pytest.mark.parametrize("family", REDUCED)
def test_a_family_on_a_microcontroller(family, tmp_path):
    bundle = compile_reduced(family, "cortex-m4", tmp_path)
    entry = verdict(bundle)
    assert (entry["runner"], entry["bit_exact"]) == ("qemu", True)
    ops = [node.op for node in bundle.graph.nodes]
    assert ATTENTION[family] in ops
    assert not {Op.TRANSPOSE, Op.MATMUL, Op.SOFTMAX, Op.BATCH_NORM} & set(ops)
    # Every layer that computes has its tap, also those within fused steps.
    computed = [node for node in bundle.graph.nodes if node.op is not Op.RESHAPE]
    assert entry["tensors_compared"] >= len(computed)


@pytest.mark.parametrize("target", ["cortex-m7", "cortex-m55", "cortex-m0plus"])
def test_a_family_on_other_cores(target, tmp_path):
    entry = verdict(compile_reduced("edgenext", target, tmp_path, optimize="size"))
    assert (entry["runner"], entry["bit_exact"]) == ("qemu", True)


@pytest.mark.parametrize(
    ("name", "op", "shape"),
    [
        ("tinynext_s_ssdlite", Op.DETECTION, (1, 200, 6)),
        ("tinynext_s_deeplabv3", Op.ARGMAX, (1, SIDE, SIDE, 1)),
    ],
)
def test_a_head_with_its_post_processing(name, op, shape, tmp_path):
    bundle = tinyflow.compile(
        name,
        target="host",
        resolution=SIDE,
        num_classes=3,
        ranges="minmax",
        calibration=pictures(tmp_path),
        output=tmp_path / "bundle",
    )
    assert (verdict(bundle)["runner"], verdict(bundle)["bit_exact"]) == ("host", True)
    graph = bundle.graph
    assert graph.nodes[-1].op is op
    assert graph.tensors[graph.outputs[0]].shape == shape
    inputs = {name: np.zeros((1, *graph.tensors[name].shape[1:]), np.int8) for name in graph.inputs}
    assert run_reference(graph, inputs)[graph.outputs[0]].shape == shape
