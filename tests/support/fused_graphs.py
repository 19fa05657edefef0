"""Graphs whose layers are fused at random, and blocks of the networks that fusing is meant for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.compiled import Job
from tests.support.draw import Draw
from tests.support.integer_layers import LayerBuilder
from tests.support.random_graphs import random_inputs
from tinyflow.codegen.c import Feature, Goal, Variant, choose_variants, demands_of, variants_of
from tinyflow.codegen.c.fusion import Select, Step, build, grow_regions
from tinyflow.codegen.c.fusion.tiles import units_of
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import Graph, Node, Op, QuantParams
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.ir.ops.slice import SliceAttrs

PORTABLE: frozenset[Feature] = frozenset()
DSP = frozenset({Feature.DSP})
THUMB1 = frozenset({Feature.THUMB1})


def selection(features: frozenset[Feature]) -> Select:
    """The first kernel of the list."""

    def select(tiles: Graph, node: Node) -> Variant:
        return variants_of(tiles, node, features, Goal.BALANCED)[0]

    return select


def fuse_at_random(graph: Graph, draw: Draw, features: frozenset[Feature] = PORTABLE) -> list[Step]:
    """Regions that have no node in common, with tiles of any size that divides them."""
    steps: list[Step] = []
    taken: set[str] = set()
    for node in graph.nodes:
        regions = [r for r in grow_regions(graph, node.output) if not r.names & taken]
        if not regions or draw.integer(0, 3) == 0:
            continue
        region = draw.choice(regions)
        units = units_of(graph, region)
        tiles = [n for n in range(1, units // 2 + 1) if units % n == 0]
        if tiles:
            steps.append(build(graph, region, draw.choice(tiles), selection(features)))
            taken |= region.names
    return steps


def fused_job(
    graph: Graph, steps: list[Step], features: frozenset[Feature] = PORTABLE, samples: int = 4
) -> Job:
    """The graph with these steps fused."""
    choices = dict(choose_variants(graph, features))
    demands = demands_of(graph, choices)
    schedule = make_schedule(graph, demands, [step.fused for step in steps])
    for step in steps:
        choices.update(step.choices)
    return Job(schedule, random_inputs(graph, samples), choices)


def random_block(draw: Draw, nodes: int = 8) -> Graph:
    """A chain with residuals, gates and joins, and now and then layers that need neighbours."""
    b = BlockBuilder("block", draw.integer(0, 1 << 20))
    shape = (1, draw.choice((1, 4, 6, 9, 12)), draw.choice((4, 1, 5)), draw.choice((4, 3, 6, 1)))
    x = b.image("image", shape)
    for number in range(draw.integer(2, nodes)):
        x = draw.choice(_LAYERS)(b, draw, x, f"layer_{number}")
    return b.finish(x)


class BlockBuilder(LayerBuilder):
    """Adds whole blocks; each returns its result."""

    def pointwise(self, x: str, channels: int, name: str) -> str:
        """Products that neither vanish nor saturate."""
        fan_in = self.tensors[x].shape[3]
        spread = self.rng.normal(size=(channels, 1, 1, fan_in)) * 60 / np.sqrt(fan_in)
        weights = spread.clip(-127, 127).astype(np.int8)
        return self.conv(x, weights, self.biases(channels), name)

    def perceptron(self, x: str, widening: int, name: str) -> str:
        """x + down(activation(up(x)))"""
        channels = self.tensors[x].shape[3]
        wide = self.pointwise(x, widening * channels, f"{name}/up")
        wide = self.same_scale(Op.HARD_SWISH, [wide], None, f"{name}/act")
        narrow = self.pointwise(wide, channels, f"{name}/down")
        return self.same_scale(Op.ADD, [x, narrow], None, f"{name}/add")

    def bottleneck(self, x: str, channels: int, name: str, kernel: int = 3, stride: int = 1) -> str:
        """An inverted bottleneck twice as wide, with a residual where its shape allows that."""
        before = self.tensors[x].shape
        wide = self.pointwise(x, 2 * before[3], f"{name}/expand")
        pad = kernel // 2
        wide = self.depthwise(
            wide,
            self.weights((1, kernel, kernel, 2 * before[3])) // 4,
            self.biases(2 * before[3]),
            f"{name}/depthwise",
            ((pad, pad), (pad, pad)),
            stride,
        )
        result = self.pointwise(wide, channels, f"{name}/project")
        if self.tensors[result].shape != before:
            return result
        return self.same_scale(Op.ADD, [x, result], None, f"{name}/add")

    def mixer(self, x: str, groups: int, name: str) -> str:
        """x + project(grouped(x)), the convolution being 3x3."""
        channels = self.tensors[x].shape[3]
        mixed = self.conv(
            x,
            self.weights((channels, 3, 3, channels // groups)) // 4,
            self.biases(channels),
            f"{name}/grouped",
            ((1, 1), (1, 1)),
            groups,
        )
        result = self.pointwise(mixed, channels, f"{name}/project")
        return self.same_scale(Op.ADD, [x, result], None, f"{name}/add")


Layer = Callable[[BlockBuilder, Draw, str, str], str]


def _pointwise(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    return b.pointwise(x, draw.choice((4, 8, 5, 3)), name)


def _table(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    return b.same_scale(draw.choice((Op.HARD_SWISH, Op.GELU)), [x], None, name)


def _norm(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    return b.same_scale(Op.LAYER_NORM, [x], None, name)


def _softmax(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    return b.node(Op.SOFTMAX, [x], None, name, QuantParams.per_tensor(1 / 256, -128))


def _sum(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    """With an earlier activation of the same shape."""
    shape = b.tensors[x].shape
    others = [n for n, t in b.tensors.items() if t.shape == shape and not t.is_constant]
    op = draw.choice((Op.ADD, Op.SUB, Op.MUL))
    return b.same_scale(op, [draw.choice(others), x], None, name)


def _by_channel(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    channels = b.tensors[x].shape[3]
    factor = b.constant(f"{name}/c", b.weights((channels,)), QuantParams.per_tensor(0.01, 0))
    return b.same_scale(draw.choice((Op.MUL, Op.ADD)), [x, factor], None, name)


def _gate(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    gate = b.image(f"{name}/gate", (1, 1, 1, b.tensors[x].shape[3]))
    return b.same_scale(Op.MUL, [x, gate], None, name)


def _join(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    """With earlier activations of as many rows and columns."""
    shape = b.tensors[x].shape
    others = [n for n, t in b.tensors.items() if t.shape[:3] == shape[:3] and not t.is_constant]
    others = [n for n in others if b.tensors[n].quant == b.tensors[x].quant]
    operands = [x, draw.choice(others or [x])]
    return b.node(Op.CONCAT, operands, ConcatAttrs(3), name, b.tensors[x].quant)


def _slice(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    shape = b.tensors[x].shape
    begin = draw.integer(0, shape[3] - 1)
    attrs = SliceAttrs((0, 0, 0, begin), shape, (1, 1, 1, draw.choice((1, 2))))
    return b.node(Op.SLICE, [x], attrs, name, b.tensors[x].quant)


def _padding(draw: Draw, kernel: int, size: int) -> tuple[int, int]:
    """Such that some window fits."""
    before = draw.integer(0, kernel - 1)
    least = max(kernel - size - before, 0)
    return before, max(draw.integer(0, kernel - 1), least)


def _depthwise(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    _, height, width, channels = b.tensors[x].shape
    kernel, stride = draw.choice(((3, 1), (3, 2), (5, 1), (5, 2), (2, 2), (1, 1)))
    padding = (_padding(draw, kernel, height), _padding(draw, kernel, width))
    weights = b.weights((1, kernel, kernel, channels)) // 4
    return b.depthwise(x, weights, b.biases(channels), name, padding, stride)


def _convolution(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    _, height, width, channels = b.tensors[x].shape
    groups = draw.choice([n for n in range(1, channels + 1) if channels % n == 0])
    padding = (_padding(draw, 3, height), _padding(draw, 3, width))
    weights = b.weights((2 * groups, 3, 3, channels // groups)) // 8
    stride = draw.choice((1, 2))
    return b.conv(x, weights, b.biases(2 * groups), name, padding, groups, stride)


def _pool(b: BlockBuilder, draw: Draw, x: str, name: str) -> str:
    _, height, width, _ = b.tensors[x].shape
    kernel = (min(2, height), min(3, width))
    attrs = PoolAttrs(kernel, draw.choice(((1, 1), (2, 1))) if kernel[0] > 1 else (1, 1))
    op = draw.choice((Op.MAX_POOL, Op.AVERAGE_POOL))
    return b.node(op, [x], attrs, name, b.tensors[x].quant)


_LAYERS: tuple[Layer, ...] = (
    _pointwise,
    _pointwise,
    _table,
    _norm,
    _sum,
    _sum,
    _by_channel,
    _gate,
    _join,
    _slice,
    _softmax,
    _depthwise,
    _depthwise,
    _convolution,
    _pool,
)
