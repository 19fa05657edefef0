"""The linear models of costs, and the table that holds them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support.random_graphs import random_graph
from tinyflow.codegen.c import Cost, Feature, Goal, choose_variants, table_for, variants_of
from tinyflow.codegen.c.variants import PORTABLE
from tinyflow.codegen.c.variants.shape import QUANTITIES, quantities, shape_key
from tinyflow.codegen.c.variants.table import CostModel, load_table, parse_table
from tinyflow.ir import Op
from tinyflow.tune.fit import fit
from tinyflow.tune.shapes import connected, conv, depthwise, join, networks
from tinyflow.tune.tabulate import to_text

DSP = frozenset({Feature.DSP})


def rows_of(**values: list[float]) -> np.ndarray:
    """rows [n, quantities] with these columns."""
    count = len(next(iter(values.values())))
    return np.array([[values.get(q, [0.0] * count)[i] for q in QUANTITIES] for i in range(count)])


def test_fit_finds_the_terms_that_made_the_figures() -> None:
    products = [100.0, 400.0, 1000.0, 5000.0, 20000.0, 100000.0]
    outputs = [50.0, 10.0, 300.0, 20.0, 900.0, 100.0]
    noise = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0]
    rows = rows_of(one=[1.0] * 6, outputs=outputs, products=products, rows=noise)
    wanted = 1.25 * np.array(products) + 7.0 * np.array(outputs) + 200.0
    assert fit(rows, wanted) == pytest.approx({"one": 200, "outputs": 7, "products": 1.25})


def test_fit_has_no_negative_terms() -> None:
    """More outputs, fewer cycles: that would promise a gain without end for larger layers."""
    outputs = [10.0, 20.0, 30.0, 40.0]
    found = fit(rows_of(one=[1.0] * 4, outputs=outputs), np.array([100.0, 90.0, 80.0, 70.0]))
    assert set(found) == {"one"}
    assert 75 < found["one"] < 90


def test_fit_of_nothing_is_nothing() -> None:
    assert fit(rows_of(one=[1.0, 1.0]), np.zeros(2)) == {}


def test_model_adds_up() -> None:
    model = CostModel({"cycles": {"one": 10.0, "products": 0.5}, "own_bytes": {"weights": 1.0}})
    values = dict.fromkeys(QUANTITIES, 0) | {"one": 1, "products": 101, "weights": 7}
    assert model.cost(values) == Cost(cycles=60, own_bytes=7)
    with pytest.raises(ValueError, match="colour"):
        CostModel({"cycles": {"colour": 1.0}})


def test_quantities_of_layers() -> None:
    shapes = [conv(6, 5, 3, 6, (3, 3), 2), depthwise(4, 4, 8, (3, 3)), connected(10, 3)]
    (graph,) = networks([*shapes, join(Op.ADD, 2, 2, 5)], 4)
    found = [quantities(graph, node) for node in graph.nodes]
    assert found[0] == {
        "one": 1,
        "rows": 3,
        "inputs": 90,
        "outputs": 54,
        "weights": 6 * 27 + 6,
        "products": 9 * 8 * 27,
        "groups": 9 * 2,
        "gathered": 9 * 27,
    }
    assert (found[1]["products"], found[1]["gathered"]) == (16 * 8 * 9, 0)
    assert (found[2]["products"], found[2]["groups"]) == (4 * 10, 1)
    assert (found[3]["inputs"], found[3]["outputs"]) == (40, 20)


def test_key_tells_shapes_and_attributes_but_not_values() -> None:
    first, again = (networks([conv(6, 5, 3, 6, (3, 3), stride)], 1)[0] for stride in (1, 1))
    (other,) = networks([conv(6, 5, 3, 6, (3, 3), 2)], 1)
    key = shape_key(first, first.nodes[0])
    assert key == shape_key(again, again.nodes[0])
    assert key != shape_key(other, other.nodes[0])
    assert key == (
        "CONV_2D(1x6x5x3, constant 6x3x3x3, constant 6, strides=(1 1), "
        "padding=((1 1) (1 1)), dilations=(1 1), groups=1) -> 1x6x5x6"
    )


def test_what_was_measured_stands_before_the_model() -> None:
    (graph,) = networks([conv(6, 5, 3, 6, (3, 3)), conv(7, 5, 3, 6, (3, 3))], 2)
    model = {"coefficients": {"cycles": {"products": 2.0}}}
    document = {
        "schema_version": 1,
        "figures": ["cycles", "flash_loads", "cache_misses", "own_bytes", "shared_bytes"],
        "models": {"CONV_2D portable": model},
        "measured": {shape_key(graph, graph.nodes[0]): {"portable": [5, 4, 3, 2, 1]}},
    }
    table = parse_table(json.loads(to_text(document)))
    portable = PORTABLE[Op.CONV_2D]
    assert table.cost(graph, graph.nodes[0], portable) == Cost(5, 4, 3, 2, 1)
    assert table.cost(graph, graph.nodes[1], portable) == Cost(2 * 35 * 8 * 27)
    assert parse_table({**document, "models": {}}).cost(graph, graph.nodes[1], portable) is None
    with pytest.raises(ValueError, match="version 9"):
        parse_table({**document, "schema_version": 9})


def test_shipped_table_knows_the_kernels_that_there_are() -> None:
    """Names of variants in the table are names of variants; else their figures are lost."""
    table = load_table("cortex-m4")
    (graph,) = networks([conv(16, 16, 32, 32, (3, 3)), connected(128, 128)], 2)
    for node in graph.nodes:
        for goal in Goal:
            for variant in variants_of(graph, node, DSP, goal):
                assert table.cost(graph, node, variant) is not None, variant.name


def test_shipped_table_prefers_dsp_kernels_for_large_layers() -> None:
    table = table_for(DSP)
    shapes = [conv(30, 30, 32, 32, (3, 3)), conv(20, 20, 40, 40, (1, 1)), connected(500, 100)]
    (graph,) = networks(shapes, 3)
    for goal in Goal:
        choices = choose_variants(graph, DSP, goal, table.cost)
        assert all(variant.name != "portable" for variant in choices.values())


def test_table_for_cores_without_variants_is_empty() -> None:
    assert not table_for(frozenset()).models


@pytest.mark.parametrize("seed", range(20))
def test_every_choice_is_one_that_can_compute_the_layer(seed: int) -> None:
    graph = random_graph(seed)
    for goal in Goal:
        choices = choose_variants(graph, DSP, goal, table_for(DSP).cost)
        for node in graph.nodes:
            assert choices[node.name] in variants_of(graph, node, DSP, goal)
