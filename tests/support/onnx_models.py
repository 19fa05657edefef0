"""Builds ONNX models and holds their import against onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinyflow.importers import load_model
from tinyflow.ir import Graph, Op, execute
from tinyflow.passes import run_passes
from tinyflow.passes.remove_transposes import remove_transposes

Shape = Sequence[int | str]

TOLERANCE = 1e-5


def tensor(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    """A float32 array of normal random numbers."""
    values = np.random.default_rng(seed).normal(scale=scale, size=shape)
    return np.asarray(values, dtype=np.float32)


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attrs: Any) -> onnx.NodeProto:
    """A node that is named after its first output."""
    name = attrs.pop("name", f"{outputs[0]}_layer")
    return helper.make_node(op, list(inputs), list(outputs), name=name, **attrs)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(v, n) for n, v in (constants or {}).items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8 if opset < 19 else 10
    )


def one_op(
    op: str,
    shapes: Mapping[str, Sequence[int]],
    constants: Mapping[str, np.ndarray] | None = None,
    operands: Sequence[str] | None = None,
    opset: int = 17,
    **attrs: Any,
) -> onnx.ModelProto:
    """A model of the one layer 'layer' with the output 'y'.

    Its operands are the inputs, then the constants, unless ``operands`` orders them.
    """
    names = list(operands) if operands is not None else [*shapes, *(constants or {})]
    layer = helper.make_node(op, names, ["y"], name="layer", **attrs)
    return model([layer], shapes, ["y"], constants, opset)


def imported(source: onnx.ModelProto, folder: Path) -> Graph:
    path = folder / "model.onnx"
    onnx.save(source, path)
    return load_model(path)


def random_inputs(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """For a graph whose inputs have the source's layout."""
    return {
        name: tensor(seed + i, *graph.tensors[name].shape, scale=2.0)
        for i, name in enumerate(graph.inputs)
    }


def run_onnx(source: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        source.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def run_graph(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Takes and gives arrays in the source's layout."""
    stored = {n: x.transpose(graph.layouts.get(n, range(x.ndim))) for n, x in inputs.items()}
    return {
        name: y.transpose(np.argsort(graph.layouts.get(name, range(y.ndim))))
        for name, y in execute(graph, stored).items()
    }


def assert_close(actual: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> None:
    assert list(actual) == list(wanted)
    for name, value in wanted.items():
        assert actual[name].shape == value.shape, name
        error = np.abs(actual[name] - value).max() / max(np.abs(value).max(), 1e-6)
        assert error < TOLERANCE, f"{name} is off by {error}"


def assert_import_is_exact(source: onnx.ModelProto, folder: Path) -> Graph:
    """Imports a model and holds it against onnxruntime: as it is, without its TRANSPOSEs, and
    after all passes. Returns the second graph."""
    graph = imported(source, folder)
    names = {n.name or n.output[0] for n in source.graph.node} | {*graph.outputs}
    assert all(n.sources and set(n.sources) <= names for n in graph.nodes)
    inputs = random_inputs(graph)
    wanted = run_onnx(source, inputs)
    assert_close(run_graph(graph, inputs), wanted)
    without, _ = remove_transposes(graph)
    assert_close(run_graph(without, inputs), wanted)
    assert_close(run_graph(run_passes(graph), inputs), wanted)
    return without


def ops(graph: Graph) -> list[Op]:
    return [n.op for n in graph.nodes]
