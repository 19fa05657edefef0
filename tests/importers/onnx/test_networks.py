"""Whole networks: equal to onnxruntime, every layer by its name, no TRANSPOSE left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_models import (
    assert_close,
    assert_import_is_exact,
    imported,
    model,
    node,
    ops,
    random_inputs,
    run_graph,
    run_onnx,
    tensor,
)
from tinyflow.ir import Graph, Op
from tinyflow.passes import run_passes

EXPORTERS = {
    "legacy opset 13": {"dynamo": False, "opset_version": 13},
    "legacy opset 17": {"dynamo": False, "opset_version": 17},
    "dynamo": {"dynamo": True},
}

NAMES = (
    "conv1d",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3",
    "normalized",
    "resnet",
    "unet",
)


class Layers:
    """Writes a channels-first network layer by layer, as exporters do."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, op: str, *inputs: str, **attrs: Any) -> str:
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(node(op, inputs, [output], name=f"/layers/{output}", **attrs))
        return output

    def weight(self, *shape: int, positive: bool = False) -> str:
        name = f"w{len(self.constants)}"
        value = tensor(len(self.constants), *shape, scale=0.4)
        self.constants[name] = np.abs(value) + 0.5 if positive else value
        return name

    def numbers(self, *values: int) -> str:
        name = f"n{len(self.constants)}"
        self.constants[name] = np.array(values, dtype=np.int64)
        return name

    def conv_norm(self, x: str, inputs: int, outputs: int, kernel: int = 3, **attrs: Any) -> str:
        weight = self.weight(outputs, inputs // attrs.get("group", 1), kernel, kernel)
        y = self.add("Conv", x, weight, pads=[kernel // 2] * 4, **attrs)
        params = [self.weight(outputs) for _ in range(3)]
        return self.add("BatchNormalization", y, *params, self.weight(outputs, positive=True))

    def build(self, shape: tuple[int, ...], *outputs: str) -> onnx.ModelProto:
        return model(self.nodes, {"image": shape}, outputs, self.constants)


def residual_network() -> onnx.ModelProto:
    net = Layers()
    x = net.add("Relu", net.conv_norm("image", 3, 8, strides=[2, 2]))
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    y = net.add("Relu", net.conv_norm(x, 8, 8))
    x = net.add("Relu", net.add("Add", net.conv_norm(y, 8, 8), x))
    y = net.conv_norm(net.add("Relu", net.conv_norm(x, 8, 12, strides=[2, 2])), 12, 12)
    x = net.add("Relu", net.add("Add", y, net.conv_norm(x, 8, 12, 1, strides=[2, 2])))
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    return net.build((1, 3, 32, 32), net.add("Gemm", x, net.weight(5, 12), transB=1))


def excited_network() -> onnx.ModelProto:
    """Depthwise blocks with squeeze-and-excite and hard-swish, and a flattened map at the end."""
    net = Layers()
    x = net.add("HardSwish", net.conv_norm("image", 3, 8, strides=[2, 2]))
    y = net.add("HardSwish", net.conv_norm(x, 8, 8, 5, group=8))
    s = net.add("Relu", net.add("Conv", net.add("GlobalAveragePool", y), net.weight(4, 8, 1, 1)))
    s = net.add("Conv", s, net.weight(8, 4, 1, 1), net.weight(8))
    s = net.add("HardSigmoid", s, alpha=1 / 6, beta=0.5)
    x = net.add("Add", net.conv_norm(net.add("Mul", y, s), 8, 8, 1), x)
    s = net.add("ReduceMean", x, axes=[2, 3], keepdims=0)
    s = net.add("Sigmoid", net.add("MatMul", s, net.weight(8, 8)))
    s = net.add("Unsqueeze", net.add("Unsqueeze", s, net.numbers(2)), net.numbers(3))
    x = net.add("AveragePool", net.add("Mul", x, s), kernel_shape=[2, 2], strides=[2, 2])
    x = net.add("Reshape", x, net.numbers(1, -1))
    x = net.add("Add", net.add("MatMul", x, net.weight(8 * 16, 6)), net.weight(6))
    return net.build((1, 3, 16, 16), net.add("Softmax", x, axis=1), s)


@pytest.mark.parametrize("write", [residual_network, excited_network])
def test_networks_by_hand(write: Any, tmp_path: Path) -> None:
    source = write()
    graph = assert_import_is_exact(source, tmp_path)
    assert Op.TRANSPOSE not in ops(graph)
    final = run_passes(imported(source, tmp_path))
    assert Op.TRANSPOSE not in ops(final)
    assert Op.BATCH_NORM not in ops(final)
    assert_names_are_the_source_s(final, source)


def test_batch_norm_nodes_reach_the_passes(tmp_path: Path) -> None:
    graph = imported(residual_network(), tmp_path)
    assert ops(graph).count(Op.BATCH_NORM) == 6


def test_every_source_layer_is_on_record(tmp_path: Path) -> None:
    source = residual_network()
    final = run_passes(imported(source, tmp_path))
    recorded = {name for n in final.nodes for name in n.sources}
    assert recorded == {n.name for n in source.graph.node}


def assert_names_are_the_source_s(graph: Graph, source: onnx.ModelProto) -> None:
    names = {n.name for n in source.graph.node}
    for n in graph.nodes:
        assert n.sources
        assert set(n.sources) <= names
        assert any(n.name.startswith(s) for s in n.sources)


@pytest.mark.slow
@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", NAMES)
def test_torch_networks(name: str, exporter: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    from tests.support.torch_networks import NETWORKS, network

    assert set(NAMES) == set(NETWORKS)
    net, shape = network(name)
    path = tmp_path / "exported.onnx"
    x = torch.randn(shape)
    torch.onnx.export(net, (x,), str(path), verbose=False, **EXPORTERS[exporter])
    source = onnx.load(path)
    graph = imported(source, tmp_path)
    inputs = random_inputs(graph)
    wanted = run_onnx(source, inputs)
    with torch.no_grad():
        outputs = net(torch.from_numpy(next(iter(inputs.values()))))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert_close(wanted, dict(zip(wanted, (y.numpy() for y in outputs), strict=True)))
    assert_close(run_graph(graph, inputs), wanted)
    final = run_passes(graph)
    assert_close(run_graph(final, inputs), wanted)
    assert Op.TRANSPOSE not in ops(final)
    assert Op.BATCH_NORM not in ops(final)
    assert all(len(t.shape) <= 4 for t in final.tensors.values())
    if name == "mobilenet_v3":
        assert ops(final).count(Op.HARD_SWISH) == 7
