"""MobileNetV2, MobileNetV3-Small and ResNet18, timm's and plain PyTorch, by torch.export and by
ONNX: the same layers, equal to PyTorch, nothing transposed, and compiled code equal in int8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.support.compiled import Job, compile_and_run  # noqa: E402
from tests.support.random_graphs import random_inputs  # noqa: E402
from tests.support.timm_models import timm_model  # noqa: E402
from tests.support.torch_networks import network  # noqa: E402
from tinyflow.codegen.schedule import make_schedule  # noqa: E402
from tinyflow.importers import load_model  # noqa: E402
from tinyflow.importers.torch import import_module  # noqa: E402
from tinyflow.ir import Graph, Op, execute  # noqa: E402
from tinyflow.passes import run_passes  # noqa: E402
from tinyflow.quantize import (  # noqa: E402
    QuantizeOptions,
    RangeMethod,
    quantize_model,
    run_reference,
)

SIDE = 32


def plain(name: str) -> Callable[[], nn.Module]:
    return lambda: network(name)[0]


def timm(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        torch.manual_seed(0)
        net: nn.Module = timm_model(name, num_classes=10)
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                # A fresh MobileNet of timm's computes next to nothing.
                nn.init.kaiming_normal_(layer.weight)
            if isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.running_mean, std=0.3)
                nn.init.uniform_(layer.running_var, 0.5, 2.0)
                nn.init.uniform_(layer.weight, 0.5, 1.0)
                nn.init.normal_(layer.bias, std=0.3)
        return net

    return make


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "plain mobilenet_v2": plain("mobilenet_v2"),
    "plain mobilenet_v3": plain("mobilenet_v3"),
    "plain resnet": plain("resnet"),
    "timm mobilenet_v2": timm("mobilenetv2_100"),
    "timm mobilenet_v3_small": timm("mobilenetv3_small_100"),
    "timm resnet18": timm("resnet18"),
}


EXPORTERS: dict[str, dict[str, Any]] = {
    "plain": {"dynamo": True, "external_data": False},
    "timm": {"dynamo": False, "opset_version": 17},
}
"""The second one takes a tenth of the time."""


def images(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return rng.normal(size=(count, 3, SIDE, SIDE)).astype(np.float32)


def by_both_paths(net: nn.Module, exporter: str, folder: Path) -> tuple[Graph, Graph]:
    """Canonical graphs, through a program of torch.export and through an ONNX file."""
    example = (torch.zeros(1, 3, SIDE, SIDE),)
    path = folder / "net.onnx"
    torch.onnx.export(net, example, path, verbose=False, **EXPORTERS[exporter])
    return run_passes(import_module(net, example)), run_passes(load_model(path))


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str, tmp_path: Path) -> None:
    net = NETWORKS[name]()
    graphs = by_both_paths(net, name.split()[0], tmp_path)
    first, second = ([n.op for n in graph.nodes] for graph in graphs)
    assert sorted(op.value for op in first) == sorted(op.value for op in second)
    assert not {Op.TRANSPOSE, Op.BATCH_NORM} & {*first}
    pixels = images(2)
    with torch.no_grad():
        wanted = net(torch.from_numpy(pixels)).numpy()
    for graph in graphs:
        (source,) = graph.inputs
        assert graph.layouts[source] == (0, 2, 3, 1)
        (found,) = execute(graph, {source: pixels.transpose(0, 2, 3, 1)}).values()
        assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()
    int8 = compiled(graphs[0], tmp_path)
    assert {n.op for n in int8.nodes} <= {*first}


def compiled(graph: Graph, folder: Path) -> Graph:
    """The graph in int8; its code for this computer equals the reference at every tap."""
    (source,) = graph.inputs
    samples = {source: images(4).transpose(0, 2, 3, 1)}
    options = QuantizeOptions(ranges=RangeMethod.MINMAX, bias_correction=False)
    int8 = quantize_model(graph, samples, options)
    inputs = random_inputs(int8, 2)
    (result,) = compile_and_run([Job(make_schedule(int8), inputs)], folder, ("-O1",))
    expected: dict[str, np.ndarray] = {}
    run_reference(int8, inputs, expected.__setitem__)
    assert len(result.taps) > 8
    for tensor, codes in (*result.taps.items(), *result.outputs.items()):
        np.testing.assert_array_equal(codes, expected[tensor], tensor)
    return int8
