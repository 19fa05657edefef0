"""The C of a fused step: a function for each layer, and one that calls them tile by tile."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tinyflow.codegen.c.blocks import BlockPool
from tinyflow.codegen.c.comments import block
from tinyflow.codegen.c.constants import ConstantPool
from tinyflow.codegen.c.emitted import EmittedLayer, emit_layer, layer_stem
from tinyflow.codegen.c.layer import Layer, address
from tinyflow.codegen.c.names import comment_text, identifier, join_identifiers
from tinyflow.codegen.c.variants import PORTABLE, Choices
from tinyflow.codegen.schedule import Axis, Fused, Placement, Schedule, Step
from tinyflow.codegen.schedule.schedule import rows_of
from tinyflow.ir import Node, Tensor

_WIDTH = 96


@dataclass(frozen=True, eq=False)
class EmittedFused:
    """``buffers`` are declarations, each with its comment; ``setup``, ``body`` are statements."""

    function: str
    comment: str
    layers: list[EmittedLayer]
    buffers: list[tuple[str, str]]
    setup: list[str]
    body: list[str]
    units: int
    tile: int

    @property
    def moves(self) -> bool:
        """Whether rows are filled or moved."""
        return any("mem" in line for line in (*self.setup, *self.body))


def emit_fused(
    schedule: Schedule,
    step: Step,
    number: int,
    name: str,
    pool: ConstantPool,
    blocks: BlockPool,
    choices: Choices,
) -> EmittedFused:
    """``number`` is the first layer's; ``name`` begins the C names of constants."""
    assert step.fused is not None
    return _Emitter(schedule, step.fused, number).emit(name, pool, blocks, choices)


@dataclass(frozen=True, eq=False)
class _Emitter:
    schedule: Schedule
    fused: Fused
    number: int

    def emit(
        self, name: str, pool: ConstantPool, blocks: BlockPool, choices: Choices
    ) -> EmittedFused:
        fused, tiles = self.fused, self._tile_schedule()
        layers = []
        for i, node in enumerate(fused.tiles.nodes):
            step = replace(tiles.steps[i], index=self.number + i)
            stem = f"{name}_{layer_stem(node, step)}"
            layer = Layer(tiles, step, stem, pool, blocks, handed=self._handed(node))
            variant = choices.get(node.name, PORTABLE[node.op])
            layers.append(emit_layer(layer, variant, node in fused.before))
        stem = f"fused_{self.number}_to_{self.number + len(layers) - 1}"
        return EmittedFused(
            function=join_identifiers(stem, identifier(fused.name)),
            comment=self._comment(),
            layers=layers,
            buffers=self._buffers(),
            setup=list(self._setup()),
            body=list(self._body(layers)),
            units=fused.units,
            tile=fused.tile,
        )

    @cached_property
    def _start(self) -> int:
        """Where in the arena the step's working memory begins."""
        place = self.schedule.scratch.get(self.fused.name)
        return place.offset if place else 0

    def _tile_schedule(self) -> Schedule:
        """The tiles and the kernels' working memory at their places in the arena."""
        fused = self.fused
        axis = Axis.TOKENS if fused.window is None else Axis.ROWS
        steps = tuple(
            Step(i, (node,), axis, 1 if node in fused.before else rows_of(self._shape(node)))
            for i, node in enumerate(fused.tiles.nodes)
        )
        places = {**self.schedule.placements, **self._moved(fused.places)}
        return Schedule(fused.tiles, steps, places, 0, 0, self._moved(fused.scratch))

    def _shape(self, node: Node) -> tuple[int, ...]:
        return self.fused.tiles.result(node).shape

    def _moved(self, places: Mapping[str, Placement]) -> dict[str, Placement]:
        return {
            name: replace(place, offset=place.offset + self._start)
            for name, place in places.items()
        }

    def _handed(self, node: Node) -> frozenset[str]:
        return frozenset((*node.inputs, node.output)) & self.fused.cut

    def _buffers(self) -> list[tuple[str, str]]:
        """The declarations of the tiles, and what each holds."""
        found = []
        for name, place in self.fused.places.items():
            tensor = self.fused.tiles.tensors[name]
            where = address("arena", self._start + place.offset)
            found.append((f"int8_t *const {self._variable(name)} = {where};", self._holds(tensor)))
        width = max((len(text) for text, _ in found), default=0)
        return [(text.ljust(width), f"/* {holds} */") for text, holds in found]

    def _holds(self, tensor: Tensor) -> str:
        window = self.fused.window
        if window is not None and tensor.name == window.band:
            rows = f"{rows_of(tensor.shape)} of {window.rows} rows"
            return f"{rows} of {comment_text(window.source)}, {tensor.nbytes} bytes"
        count = self.fused.tile if window is None else rows_of(tensor.shape)
        unit = ("position" if window is None else "row") + "s" * (count > 1)
        return f"{count} {unit} of {comment_text(tensor.name)}, {tensor.nbytes} bytes"

    def _variable(self, name: str) -> str:
        """The C variable of a tile."""
        window = self.fused.window
        if window is not None and name == window.band:
            return "band"
        made = [node.output for node in self.fused.nodes]
        return f"tile_{self.number + made.index(name)}"

    @property
    def _band_stride(self) -> int:
        window = self.fused.window
        assert window is not None
        tensor = self.fused.tiles.tensors[window.band]
        return tensor.nbytes // rows_of(tensor.shape)

    def _setup(self) -> Iterator[str]:
        window = self.fused.window
        if window is not None and window.pad:
            yield "/* Above the first row. */"
            yield f"memset(band, {window.fill}, {window.pad * self._band_stride});"

    def _body(self, layers: list[EmittedLayer]) -> Iterator[str]:
        fused, window = self.fused, self.fused.window
        before, after = layers[: len(fused.before)], layers[len(fused.before) :]
        if window is not None:
            yield from self._rows_to_add()
            yield from self._added_rows(before)
            yield from self._rows_below()
        for node, layer in zip(fused.after, after, strict=True):
            yield from self._call(node, layer, "y", f"y + {fused.tile}")
        if window is not None and window.kernel > window.stride:
            stride, kept = self._band_stride, window.kernel - window.stride
            moved = fused.tile * window.stride * stride
            yield "/* The next rows need these, too. */"
            yield f"memmove(band, band + {moved}, {kept * stride});"

    def _rows_to_add(self) -> Iterator[str]:
        """The rows of the band begin with row ``top``; those from ``begin`` on are new."""
        fused, window = self.fused, self.fused.window
        assert window is not None
        row = "y" if window.stride == 1 else f"{window.stride} * y"
        yield "/* The band begins with row `top`, and those from `begin` on are new. */"
        yield f"const int32_t top = {_sum(row, -window.pad)};"
        new = _sum("top", window.kernel - window.stride)
        if window.pad or window.kernel > window.stride:
            new = f"y == 0 ? 0 : {new}"
        if self._adds_none_at_times:
            yield f"const int32_t next = {new};"
            new = f"next < {window.rows} ? next : {window.rows}"
        yield f"const int32_t begin = {new};"
        last = _sum("top", window.band_rows(fused.tile))
        if self._reaches_below:
            last = f"{last} < {window.rows} ? {last} : {window.rows}"
        yield f"const int32_t end = {last};"

    @property
    def _reaches_below(self) -> bool:
        """Whether the last band reaches beyond the last row."""
        fused, window = self.fused, self.fused.window
        assert window is not None
        top = (fused.units - fused.tile) * window.stride - window.pad
        return top + window.band_rows(fused.tile) > window.rows

    @property
    def _adds_none_at_times(self) -> bool:
        """Whether all rows are in the band before the last tile."""
        fused, window = self.fused, self.fused.window
        assert window is not None
        spans = [window.new_rows(y, fused.tile) for y in range(0, fused.units, fused.tile)]
        return any(begin >= end for begin, end in spans)

    def _added_rows(self, before: list[EmittedLayer]) -> Iterator[str]:
        """The new rows, from the layers that compute them; where there are none, the rows are
        those of a tensor in the arena."""
        lines: list[str] = []
        for node, layer in zip(self.fused.before, before, strict=True):
            lines += self._call(node, layer, "begin", "end")
        if not before:
            window, stride = self.fused.window, self._band_stride
            assert window is not None
            source = self._pointer(window.source, "begin")
            size = f"(size_t)(end - begin) * {stride}"
            lines.append(f"memcpy(band + (begin - top) * {stride}, {source}, {size});")
        if self._adds_none_at_times:
            lines = ["if (begin < end) {", *(f"    {line}" for line in lines), "}"]
        yield from lines

    def _rows_below(self) -> Iterator[str]:
        fused, window = self.fused, self.fused.window
        assert window is not None
        if self._reaches_below:
            stride, rows = self._band_stride, window.band_rows(fused.tile)
            below = f"{_sum('top', rows)} - {window.rows}"
            yield "/* Below the last row. */"
            yield f"if ({_sum('top', rows)} > {window.rows}) {{"
            yield (
                f"    memset(band + ({window.rows} - top) * {stride}, {window.fill}, "
                f"(size_t)({below}) * {stride});"
            )
            yield "}"

    def _call(self, node: Node, layer: EmittedLayer, begin: str, end: str) -> Iterator[str]:
        fused = self.fused
        roles = [role for role in layer.handed if role != "out"]
        operands = [name for name in node.inputs if name in fused.cut]
        pointers = {r: self._pointer(n, begin) for r, n in zip(roles, operands, strict=True)}
        pointers["out"] = self._pointer(node.output, begin)
        yield layer.call_with(pointers, f"{end} - {begin}")
        yield f"TINYFLOW_TAP({layer.number}, {begin}, {end}, {pointers['out']});"

    def _pointer(self, name: str, begin: str) -> str:
        """Where the rows or positions of a tensor from ``begin`` on are."""
        fused, window = self.fused, self.fused.window
        if name in fused.places:
            return self._variable(name)
        if window is not None and name == window.source and fused.before:
            return f"band + (begin - top) * {self._band_stride}"
        name = fused.aliases.get(name, name)
        tensor = self.schedule.graph.tensors[name]
        units = fused.units if begin == "y" or window is None else window.rows
        base = address("arena", self.schedule.placements[name].offset)
        return f"{base} + {begin} * {tensor.nbytes // units}"

    def _comment(self) -> str:
        fused = self.fused
        unit = "positions" if fused.window is None else "rows"
        last = self.number + len(fused.nodes) - 1
        lines = [f"Steps {self.number} to {last}, {fused.tile} of {fused.units} {unit} at a time:"]
        names = [f"{node.op.value} {comment_text(node.name)}" for node in fused.nodes]
        lines += textwrap.wrap(
            "; ".join(names), _WIDTH, initial_indent="  ", subsequent_indent="  "
        )
        return block(lines)


def _sum(term: str, number: int) -> str:
    if number == 0:
        return term
    return f"{term} {'+' if number > 0 else '-'} {abs(number)}"
