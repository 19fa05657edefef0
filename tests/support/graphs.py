"""Builds small graphs, and compares graphs by structure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyflow.ir import (
    OPS,
    Attrs,
    DType,
    Graph,
    Node,
    Op,
    QuantParams,
    Shape,
    Tensor,
    check_graph,
    execute,
)


class GraphBuilder:
    """Adds inputs, constants and nodes one by one; shapes are inferred.

    b = GraphBuilder()
    x = b.input("x", (1, 8, 8, 3))
    y = b.node(Op.CONV_2D, [x, b.random("w", (4, 3, 3, 3))], Conv2DAttrs())
    graph = b.build(y)
    """

    def __init__(self, name: str = "test", seed: int = 0) -> None:
        self.name = name
        self.rng = np.random.default_rng(seed)
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []

    def input(
        self,
        name: str,
        shape: Shape,
        dtype: DType = DType.FLOAT32,
        quant: QuantParams | None = None,
    ) -> str:
        self.inputs.append(name)
        return self._add(Tensor(name, shape, dtype, quant))

    def constant(self, name: str, data: np.ndarray, quant: QuantParams | None = None) -> str:
        """A constant under ``name``, made unique where it is taken."""
        return self._add(Tensor.constant(self._free(name), np.asarray(data), quant))

    def random(self, name: str, shape: Shape, scale: float = 1.0, positive: bool = False) -> str:
        """A float32 constant of normal deviates, or of uniform ones in [scale/2, 3*scale/2)."""
        draw = self.rng.uniform(0.5, 1.5, shape) if positive else self.rng.normal(size=shape)
        return self.constant(name, (draw * scale).astype(np.float32))

    def node(
        self,
        op: Op,
        inputs: Sequence[str],
        attrs: Attrs | None = None,
        name: str | None = None,
        quant: QuantParams | None = None,
        sources: Sequence[str] | None = None,
    ) -> str:
        """Adds a node; returns its output, which bears the node's name followed by ``:0``.

        The output has the first input's element type.
        """
        name = name or f"{op.value.lower()}_{len(self.nodes)}"
        attrs = attrs if attrs is not None else OPS[op].attrs()
        shape = OPS[op].infer(attrs, *(self.tensors[i].shape for i in inputs))
        output = Tensor(f"{name}:0", shape, self.tensors[inputs[0]].dtype, quant)
        names = tuple(sources) if sources is not None else (name,)
        self.nodes.append(Node(name, op, tuple(inputs), (output.name,), attrs, names))
        return self._add(output)

    def batch_norm(self, x: str, name: str | None = None) -> str:
        """A BATCH_NORM whose four parameters are all far from trivial."""
        channels = self.tensors[x].shape[-1:]
        stem = name or f"bn_{len(self.nodes)}"
        parameters = [
            self.random(f"{stem}/gamma", channels, positive=True),
            self.random(f"{stem}/beta", channels),
            self.random(f"{stem}/mean", channels),
            self.random(f"{stem}/variance", channels, positive=True),
        ]
        return self.node(Op.BATCH_NORM, [x, *parameters], name=stem)

    def build(self, *outputs: str) -> Graph:
        graph = Graph(self.name, tuple(self.nodes), dict(self.tensors), tuple(self.inputs), outputs)
        check_graph(graph, after="the test's builder")
        return graph

    def _add(self, tensor: Tensor) -> str:
        assert tensor.name not in self.tensors, tensor.name
        self.tensors[tensor.name] = tensor
        return tensor.name

    def _free(self, stem: str) -> str:
        name, number = stem, 1
        while name in self.tensors:
            name, number = f"{stem}_{number}", number + 1
        return name


def random_inputs(graph: Graph, batch: int = 2, seed: int = 1) -> dict[str, np.ndarray]:
    """Normal deviates [batch, ...] for each input of a float graph."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=(batch, *graph.tensors[name].shape[1:])).astype(np.float32)
        for name in graph.inputs
    }


def assert_same_structure(actual: Graph, expected: Graph, rtol: float = 1e-6) -> None:
    """The graphs have the same inputs and outputs and, walked from the outputs, equal nodes.

    Nodes agree in name, operation, attributes and sources; tensors in shape, element type and
    quantization; constants in value, floats within ``rtol`` of their largest. Names of inner
    tensors and the order of independent nodes do not matter.
    """
    assert actual.inputs == expected.inputs
    assert len(actual.outputs) == len(expected.outputs)
    assert len(actual.nodes) == len(expected.nodes), f"\n{actual}\n--- expected\n{expected}"
    assert dict(actual.layouts) == dict(expected.layouts)
    partner: dict[str, str] = {}
    pending = list(zip(actual.outputs, expected.outputs, strict=True))
    while pending:
        a, e = pending.pop()
        if a in partner:
            assert partner[a] == e, f"'{a}' stands for both '{partner[a]}' and '{e}'"
            continue
        partner[a] = e
        _assert_same_tensor(actual.tensors[a], expected.tensors[e], rtol)
        made, wanted = actual.producer(a), expected.producer(e)
        assert (made is None) == (wanted is None), f"'{a}' and '{e}' differ in being computed"
        if made is None or wanted is None:
            assert actual.tensors[a].is_constant or a == e, f"input '{a}', not '{e}'"
            continue
        for field in ("name", "op", "attrs", "sources"):
            mine, other = getattr(made, field), getattr(wanted, field)
            assert mine == other, f"{field} of '{made.name}': {mine} is not {other}"
        assert len(made.inputs) == len(wanted.inputs), made.name
        pending += zip(made.inputs, wanted.inputs, strict=True)


def _assert_same_tensor(actual: Tensor, expected: Tensor, rtol: float) -> None:
    where = f"'{actual.name}' and '{expected.name}'"
    for field in ("shape", "dtype", "quant", "is_constant"):
        mine, other = getattr(actual, field), getattr(expected, field)
        assert mine == other, f"{field} of {where}: {mine} is not {other}"
    if expected.is_constant:
        atol = rtol * float(np.max(np.abs(expected.value), initial=0))
        np.testing.assert_allclose(actual.value, expected.value, rtol=0, atol=atol, err_msg=where)


def assert_same_values(actual: Graph, expected: Graph, tolerance: float = 1e-5) -> None:
    """Both float graphs compute the same from random inputs, relative to the largest output."""
    inputs = random_inputs(expected)
    mine = execute(actual, {n: inputs[n] for n in actual.inputs})
    other = execute(expected, inputs)
    for a, e in zip(actual.outputs, expected.outputs, strict=True):
        error = np.max(np.abs(mine[a] - other[e])) / max(float(np.max(np.abs(other[e]))), 1e-30)
        assert error < tolerance, f"'{e}' differs by {error:.2e}"
