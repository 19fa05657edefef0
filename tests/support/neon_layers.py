"""Layers for which vector kernels are chosen, run on this computer and emulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.support.bundles import write_graph_bundle
from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.bundle import read_bundle
from tinyflow.codegen.c import Goal, choose_variants, features_of
from tinyflow.ir import NO_CLAMP, RELU, Clamp, DType, Graph, Op, QuantParams, Rounding, Shape
from tinyflow.ir.ops.broadcast import BinaryAttrs
from tinyflow.quantize import attach_integers, run_reference
from tinyflow.targets import load_target
from tinyflow.targets.runners import get_runner

NANO = "cortex-a57"
ORIN = "cortex-a78"
CORES = (NANO, ORIN)
CLAMPS = (NO_CLAMP, RELU, Clamp(-0.5, 0.75))
ZERO_POINTS = (-128, 0, 127, -1, 33)


def variant_names(graph: Graph) -> set[str]:
    """The variants that compute the nodes on a core with vectors."""
    choices = choose_variants(graph, features_of(load_target(NANO)), Goal.SPEED)
    return {choices[node.name].name for node in graph.nodes}


def assert_equal_with_vectors(
    graph: Graph,
    folder: Path,
    count: int = 3,
    inputs: Mapping[str, np.ndarray] | None = None,
    fuse: bool = False,
    cores: Sequence[str] = CORES,
    here: bool = False,
) -> None:
    """Every tensor that is computed equals the reference's, on emulated cores without and with dot
    products, and, if ``here``, by plain C with sanitizers on this computer."""
    inputs = random_inputs(graph, count) if inputs is None else inputs
    expected: dict[str, np.ndarray] = {}
    run_reference(graph, inputs, observe=expected.__setitem__)
    for core in cores:
        place = write_graph_bundle(
            folder / core,
            graph,
            inputs,
            core,
            goal=Goal.BALANCED if fuse else Goal.SPEED,
            fuse=fuse,
        )
        bundle = read_bundle(place)
        for on in ("host", "qemu") if here and core == NANO else ("qemu",):
            result = get_runner(on).run(bundle, inputs, taps=True, sanitize=on == "host")
            assert result.taps is not None
            assert result.taps.keys() == {n.output for n in graph.nodes if n.op is not Op.RESHAPE}
            for name, codes in result.taps.items():
                np.testing.assert_array_equal(codes, expected[name], f"{core}, {on}: {name}")


def sums_graph(count: int, shape: Shape, rounding: Rounding, seed: int) -> Graph:
    """Sums and differences of two inputs at many scales, and of one input with itself."""
    builder, rng = GraphBuilder(), np.random.default_rng(seed)

    def params(scale: float) -> QuantParams:
        return QuantParams.per_tensor(scale, int(rng.choice(ZERO_POINTS)))

    names = []
    for i in range(count):
        scales = np.exp(rng.uniform(-2, 2, 2)) * 0.01
        a = builder.input(f"a{i}", shape, DType.INT8, params(float(scales[0])))
        b = builder.input(f"b{i}", shape, DType.INT8, params(float(scales[1])))
        out = params(float(scales.max()) * float(np.exp(rng.uniform(-4, 1))))
        op, attrs = (Op.ADD, Op.SUB)[i % 2], BinaryAttrs(CLAMPS[i % len(CLAMPS)])
        names.append(builder.node(op, (a, b if i % 5 < 4 else a), attrs, f"sum{i}", out))
    return attach_integers(builder.build(*names), rounding)
