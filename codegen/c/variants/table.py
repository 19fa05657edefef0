"""The tuning table: costs that were measured, and linear models for shapes that were not.

A table is a JSON file that `benchmarks/tune.py` writes. For every operation and variant it holds
the coefficients of each figure of a cost, per quantity of `QUANTITIES`, and the measurements that
they were fitted to. A shape that was measured gets what was measured; any other what the model
says. Both are plain sums of products, so that every machine chooses alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.cost import Cost
from tinyflow.codegen.c.variants.shape import QUANTITIES, quantities, shape_key
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Graph, Node

FIGURES = tuple(field.name for field in fields(Cost))
SCHEMA_VERSION = 1

_TABLES = ((Feature.DSP, "cortex-m4"),)
"""Which table tells of cores with a feature: the ratio of two kernels' cycles changes little
between cores with the same instructions."""


@dataclass(frozen=True)
class CostModel:
    """A linear model: per figure of a cost, coefficients by quantity."""

    coefficients: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        for figure, terms in self.coefficients.items():
            if figure not in FIGURES or not set(terms) <= set(QUANTITIES):
                raise ValueError(f"a cost model of '{figure}' in {sorted(terms)}")

    def cost(self, values: Mapping[str, int]) -> Cost:
        return Cost(
            **{
                figure: max(round(sum(terms[q] * values[q] for q in QUANTITIES if q in terms)), 0)
                for figure, terms in self.coefficients.items()
            }
        )


@dataclass(frozen=True)
class TuningTable:
    """``models`` by operation and variant, as in "CONV_2D portable"; ``measured`` by shape, and
    for each by variant."""

    models: Mapping[str, CostModel]
    measured: Mapping[str, Mapping[str, Cost]]

    def cost(self, graph: Graph, node: Node, variant: Variant) -> Cost | None:
        """What was measured or else modelled; None for a variant that the table does not know."""
        found = self.measured.get(shape_key(graph, node), {}).get(variant.name)
        if found is not None:
            return found
        model = self.models.get(model_key(node, variant.name))
        return None if model is None else model.cost(quantities(graph, node))


def model_key(node: Node, variant: str) -> str:
    return f"{node.op.value} {variant}"


def parse_table(document: Mapping[str, Any]) -> TuningTable:
    """Raises ValueError where the document is of another version, KeyError where it lacks parts."""
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"a tuning table of version {document['schema_version']}")
    names = document["figures"]
    return TuningTable(
        {key: CostModel(entry["coefficients"]) for key, entry in document["models"].items()},
        {
            shape: {
                name: Cost(**dict(zip(names, values, strict=True)))
                for name, values in variants.items()
            }
            for shape, variants in document["measured"].items()
        },
    )


@cache
def load_table(name: str) -> TuningTable:
    """A table that ships with TinyFlow."""
    place = files("tinyflow.codegen.c").joinpath("variants", "tuning", f"{name}.json")
    return parse_table(json.loads(place.read_text(encoding="utf-8")))


def table_for(features: frozenset[Feature]) -> TuningTable:
    """The table for cores with these features; an empty one where nothing is to be chosen."""
    for feature, name in _TABLES:
        if feature in features:
            return load_table(name)
    return TuningTable({}, {})
