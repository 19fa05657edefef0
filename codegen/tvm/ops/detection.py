"""DETECTION: the best candidates in the order of their scores, then one by one those that overlap
none before them of their class too much.

Candidates are put in their place as they are found: positions and classes rise, so that the first
of equal scores stays before the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm import tirx

from tinyflow.codegen.tvm.arithmetic import narrow, wide
from tinyflow.codegen.tvm.builder import Buffer, Builder, Expr
from tinyflow.codegen.tvm.inverse_root import unsigned
from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.ir import Graph, Node
from tinyflow.ir.ops.detection import COLUMNS

_INT8_MIN = -128
_HALF = 1 << 15
_TO_PIXELS = 12
"""Bits from sixteenths of a pixel to Q16.16."""
_LABEL = 5
"""The column of the class."""


@dataclass(frozen=True)
class _Candidates:
    """``place`` is position * classes + class, ``score`` in Q15."""

    places: Buffer
    scores: Buffer
    count: Buffer


def lower(graph: Graph, node: Node) -> Kernel:
    attrs: Any = node.attrs
    form: Any = node.integer
    logits, deltas, _ = graph.operands(node)
    _, positions, classes = logits.shape
    build = Builder(graph, node)
    with build:
        codes = build.operand(0, (positions, classes))
        shifts, anchors = build.operand(1, (positions, 4)), build.operand(2, (positions, 4))
        out = build.result((attrs.detections, COLUMNS))
        powers, growth = build.table("powers", form.powers), build.table("growth", form.growth)
        found = _Candidates(
            build.workspace("places", (attrs.candidates,), "int32"),
            build.workspace("scores", (attrs.candidates,), "int32"),
            build.registers("count", 1),
        )
        build.store(found.count, 0, 0)
        with build.loop("p", positions) as p:
            _collect(build, node, (codes, p), classes, powers, found)
        kept, i = build.registers("kept", 1), build.registers("i", 1)
        build.store(kept, 0, 0)
        build.store(i, 0, 0)
        with build.repeat(tirx.all(i[0] < found.count[0], kept[0] < attrs.detections)):
            place = build.let("place", found.places[i[0]])
            position = build.let("position", tirx.truncdiv(place, classes))
            label = build.let("label", tirx.truncmod(place, classes))
            zero = deltas.params.zero_point
            box = _decode(build, node, (shifts, anchors, position), zero, growth)
            with build.when(tirx.Not(_is_known(build, node, box, label, out, kept[0]))):
                for column, edge in enumerate(box):
                    build.store(out, edge * (1 << _TO_PIXELS), kept[0], column)
                build.store(out, found.scores[i[0]] * 2, kept[0], len(box))
                build.store(out, label * (1 << 16), kept[0], _LABEL)
                build.store(kept, kept[0] + 1, 0)
            build.store(i, i[0] + 1, 0)
        with build.repeat(kept[0] < attrs.detections):
            for column in range(COLUMNS):
                build.store(out, 0, kept[0], column)
            build.store(kept, kept[0] + 1, 0)
    return build.kernel()


def _collect(
    build: Builder,
    node: Node,
    of: tuple[Buffer, Expr],
    classes: int,
    powers: Buffer,
    found: _Candidates,
) -> None:
    """The candidates of one position."""
    attrs: Any = node.attrs
    form: Any = node.integer
    codes, p = of
    largest, total = build.registers("largest", 1), build.registers("total", 1)
    build.store(largest, _INT8_MIN, 0)
    with build.loop("c", classes) as c:
        build.store(largest, tirx.max(largest[0], narrow(codes[p, c])), 0)
    build.store(total, 0, 0)
    with build.loop("c", classes) as c:
        build.store(total, total[0] + powers[largest[0] - narrow(codes[p, c])], 0)
    # power << 15 >= least score * total, with one division by a power of two for all classes
    least = (wide(form.least_score) * wide(total[0]) + wide(_HALF - 1)) >> wide(15)
    least = build.let("least", narrow(least))
    with build.loop("c", classes) as c:
        power = build.let("power", powers[largest[0] - narrow(codes[p, c])])
        with build.when(tirx.all(power >= least, c != attrs.background)):
            scaled = narrow(power, "uint32") << unsigned(15)
            score = narrow(tirx.truncdiv(scaled, narrow(total[0], "uint32")))
            _insert(build, found, attrs.candidates, p * classes + c, build.let("score", score))


def _insert(build: Builder, found: _Candidates, most: int, place: Expr, score: Expr) -> None:
    """Behind all candidates that are no worse; where there are too many, the last one goes."""
    full = found.count[0] == most
    with build.when(tirx.any(tirx.Not(full), found.scores[most - 1] < score)):
        hole = build.registers("hole", 1)
        build.store(hole, tirx.min(found.count[0], most - 1), 0)
        build.store(found.count, tirx.min(found.count[0] + 1, most), 0)
        with build.repeat(tirx.all(hole[0] > 0, found.scores[hole[0] - 1] < score)):
            build.store(found.places, found.places[hole[0] - 1], hole[0])
            build.store(found.scores, found.scores[hole[0] - 1], hole[0])
            build.store(hole, hole[0] - 1, 0)
        build.store(found.places, place, hole[0])
        build.store(found.scores, score, hole[0])


def _decode(
    build: Builder,
    node: Node,
    at: tuple[Buffer, Buffer, Expr],
    zero: int,
    growth: Buffer,
) -> tuple[Expr, ...]:
    """Left, top, right, bottom in sixteenths of a pixel, inside the image."""
    attrs: Any = node.attrs
    form: Any = node.integer
    shifts, anchors, p = at
    height, width = attrs.image
    ends = []
    for axis, (names, limit) in enumerate(
        ((("left", "right"), 16 * width), (("top", "bottom"), 16 * height))
    ):
        size = build.let("size", wide(anchors[p, axis + 2]))
        moved = size * wide(narrow(shifts[p, axis]) - zero) * wide(form.centre)
        centre = wide(anchors[p, axis]) + ((moved + wide(_HALF)) >> wide(16))
        grown = size * wide(growth[narrow(shifts[p, axis + 2]) - _INT8_MIN])
        grown = build.let("grown", (grown + wide(_HALF)) >> wide(16))
        begin = build.let("begin", (wide(2) * centre - grown) >> wide(1))
        ends.append(
            [
                build.let(name, narrow(tirx.max(tirx.min(end, wide(limit)), wide(0))))
                for name, end in zip(names, (begin, begin + grown), strict=True)
            ]
        )
    (left, right), (top, bottom) = ends
    return left, top, right, bottom


def _is_known(
    build: Builder, node: Node, box: tuple[Expr, ...], label: Expr, out: Buffer, kept: Expr
) -> Expr:
    """Whether one of the boxes that were kept is of the same class and of the same place."""
    known, j = build.registers("known", 1), build.registers("j", 1)
    build.store(known, 0, 0)
    build.store(j, 0, 0)
    with build.repeat(tirx.all(j[0] < kept, known[0] == 0)):
        with build.when((out[j[0], _LABEL] >> 16) == label):
            other = tuple(
                build.let(name, out[j[0], column] >> _TO_PIXELS)
                for column, name in enumerate(("left", "top", "right", "bottom"))
            )
            build.store(known, narrow(_are_one(build, node, box, other)), 0)
        build.store(j, j[0] + 1, 0)
    return known[0] != 0


def _are_one(build: Builder, node: Node, a: tuple[Expr, ...], b: tuple[Expr, ...]) -> Expr:
    """Whether intersection over union is above the limit."""
    form: Any = node.integer
    width, height = (
        build.let(name, tirx.min(a[i + 2], b[i + 2]) - tirx.max(a[i], b[i]))
        for i, name in enumerate(("width", "height"))
    )
    shared = build.let("shared", wide(width) * wide(height))
    union = _area(a) + _area(b) - shared
    return tirx.all(width > 0, height > 0, shared * wide(1 << 16) > union * wide(form.overlap))


def _area(box: tuple[Expr, ...]) -> Expr:
    left, top, right, bottom = box
    return wide(right - left) * wide(bottom - top)
