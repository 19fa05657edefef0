"""Variants that copy their weights to RAM first, for boards whose flash makes loads wait.

A kernel that reads its weights again for every few pixels then waits for each word once. The copy
lies behind the kernel's own working memory.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

from tinyflow.codegen.c.blocks import BlockPool
from tinyflow.codegen.c.constants import ConstantPool, Kind
from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.staging import Staging, staged_bytes
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.codegen.schedule import Axis, Demand, Placement, Schedule, Step
from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.schedule import rows_of
from tinyflow.ir import Graph, Node, as_nhwc

LEAST_PIXELS = 4
"""Pixels of the result, two at a time, below which a copy costs as much as it saves."""

_SIZES: WeakKeyDictionary[Graph, dict[tuple[str, str], int]] = WeakKeyDictionary()


def staged(variant: Variant) -> Variant:
    """The variant with its packed weights in RAM."""
    return replace(
        variant,
        name=f"{variant.name}, staged",
        bind=partial(_bind, variant),
        features=variant.features | {Feature.SLOW_FLASH},
        applies=partial(_applies, variant),
        demand=partial(_demand, variant),
    )


def _applies(variant: Variant, graph: Graph, node: Node) -> bool:
    _, height, width, _ = as_nhwc(graph.result(node).shape)
    return height * width >= LEAST_PIXELS and variant.applies(graph, node)


def _demand(variant: Variant, graph: Graph, node: Node) -> Demand:
    demand = variant.demand(graph, node)
    weights = _weight_bytes(variant, graph, node)
    return replace(demand, scratch_bytes=align(demand.scratch_bytes) + weights)


def _bind(variant: Variant, layer: Layer) -> list[KernelCall]:
    own = align(variant.demand(layer.graph, layer.node).scratch_bytes)
    staging = Staging(layer.schedule.scratch[layer.node.name].offset + own)
    first, *others = variant.bind(replace(layer, staging=staging))
    needed = staged_bytes([copy.nbytes for copy in staging.copies])
    assert needed == _weight_bytes(variant, layer.graph, layer.node)
    return [replace(first, copies=tuple(staging.copies)), *others]


def _weight_bytes(variant: Variant, graph: Graph, node: Node) -> int:
    """Bytes that the copies take, found by binding the kernel somewhere."""
    known = _SIZES.setdefault(graph, {})
    key = (variant.name, node.name)
    if key not in known:
        pool = ConstantPool()
        layer = Layer(_somewhere(variant, graph, node), _step(graph, node), "", pool, BlockPool(""))
        variant.bind(layer)
        known[key] = staged_bytes([a.nbytes for a in pool.arrays if a.kind is Kind.WEIGHT])
    return known[key]


def _somewhere(variant: Variant, graph: Graph, node: Node) -> Schedule:
    """A schedule with a place for everything that the node touches."""

    def place(name: str, nbytes: int, rows: int) -> Placement:
        return Placement(name, 0, nbytes, rows, 0, 0)

    tensors = [*graph.operands(node), graph.result(node)]
    placements = {
        t.name: place(t.name, t.nbytes, rows_of(t.shape)) for t in tensors if not t.is_constant
    }
    scratch = place(node.name, variant.demand(graph, node).scratch_bytes, 1)
    return Schedule(graph, (_step(graph, node),), placements, 0, 0, {node.name: scratch})


def _step(graph: Graph, node: Node) -> Step:
    return Step(0, (node,), Axis.WHOLE, rows_of(graph.result(node).shape))
