"""The arena over time as SVG: an area for each tensor, steps across, addresses upwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from tinyflow.report import figures

WIDTH, HEIGHT = 1000, 380
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 14, 46
_LABEL_WIDTH, _LABEL_HEIGHT = 46.0, 15.0
_CHARACTER = 6.6
_HUES = 6


def arena_picture(
    placements: Sequence[Mapping[str, Any]],
    steps: Sequence[str],
    arena_bytes: int,
    scratch: Sequence[Mapping[str, Any]] = (),
) -> Markup:
    """``placements``: tensor, layer, offset, bytes, first_step, last_step, alias_of, overlaps; and
    ``scratch``: layer, offset, bytes, step; as in report.json. Tensors are labelled with the layer
    that writes them.

    ``steps`` names the layer of each step. Tensors that take over another's memory, or are a piece
    of it, are drawn with it in one colour. Where a result is written over the operand that is
    consumed, a slanting line through the step parts what they share.
    """
    columns = max(len(steps), 1)
    x_unit = (WIDTH - LEFT - RIGHT) / columns
    y_unit = (HEIGHT - TOP - BOTTOM) / max(arena_bytes, 1)
    parts = [*_grid(arena_bytes, y_unit), *_steps(columns, x_unit)]
    scale = _Scale(x_unit, y_unit)
    parts += [_scratch(entry, scale) for entry in scratch]
    hues = _hues(placements)
    by_name = {entry["tensor"]: entry for entry in placements}
    heirs = {
        e["alias_of"]: e["first_step"]
        for e in placements
        if e["alias_of"] and _inherits(e, by_name[e["alias_of"]])
    }
    successors = {e["overlaps"]: e for e in placements if e.get("overlaps")}
    for entry in placements:
        # Memory changes hands in the middle of the step that works in place.
        begin = entry["first_step"] + (0.5 if entry["alias_of"] else 0.0)
        end = heirs[entry["tensor"]] + 0.5 if entry["tensor"] in heirs else entry["last_step"] + 1
        box = _Box(begin, end, entry["offset"], entry["offset"] + entry["bytes"])
        shape = _shape(
            box, by_name.get(entry.get("overlaps")), successors.get(entry["tensor"]), scale
        )
        first = steps[entry["first_step"]] if entry["first_step"] < len(steps) else ""
        last = steps[entry["last_step"]] if entry["last_step"] < len(steps) else ""
        over = by_name[entry["overlaps"]]["layer"] if entry.get("overlaps") else None
        parts.append(
            f"<g><title>{escape(entry['layer'])}: {entry['bytes']:,} bytes at "
            f"{entry['offset']:,}, from step {entry['first_step']} ({escape(first)}) to "
            f"{entry['last_step']} ({escape(last)})"
            f"{f', over {escape(over)} as that is consumed' if over else ''}</title>"
            f'<{shape} class="tensor hue{hues[entry["tensor"]]}"/>'
            f"{_label(entry, *_room(box, entry, successors, scale))}</g>"
        )
    return Markup(
        f'<svg class="arena" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Arena use over the steps of one inference">{"".join(parts)}</svg>'
    )


@dataclass(frozen=True)
class _Scale:
    """From steps and addresses to places in the picture."""

    x_unit: float
    y_unit: float

    def x(self, step: float) -> float:
        return LEFT + step * self.x_unit

    def y(self, address: float) -> float:
        return HEIGHT - BOTTOM - address * self.y_unit


@dataclass(frozen=True)
class _Box:
    """The steps from ``begin`` to ``end``, and the addresses from ``low`` to ``high``."""

    begin: float
    end: float
    low: int
    high: int


_Corner = tuple[float, float]
"""A step and an address."""


def _shape(
    box: _Box,
    operand: Mapping[str, Any] | None,
    successor: Mapping[str, Any] | None,
    scale: _Scale,
) -> str:
    """A rectangle, or what is left of it where the tensor is written over an operand that goes
    (the ``begin`` side) or gives way to a result (the ``end`` side)."""
    if operand is None and successor is None:
        x, y = scale.x(box.begin), scale.y(box.high)
        width, height = scale.x(box.end) - x, scale.y(box.low) - y
        return (
            f'rect x="{x + 0.75:.1f}" y="{y + 0.5:.1f}" width="{max(width - 1.5, 1):.1f}" '
            f'height="{max(height - 1, 1):.1f}" rx="2"'
        )
    left: list[_Corner] = [(box.begin, box.high), (box.begin, box.low)]
    right: list[_Corner] = [(box.end, box.low), (box.end, box.high)]
    if operand is not None:
        left = _left_of_result(box, operand)
    if successor is not None:
        right = _right_of_operand(box, successor)
    corners = [*left, *right]
    corners = [corner for i, corner in enumerate(corners) if corner != corners[i - 1]]
    points = " ".join(f"{scale.x(step):.1f},{scale.y(address):.1f}" for step, address in corners)
    return f'polygon points="{points}"'


def _left_of_result(box: _Box, operand: Mapping[str, Any]) -> list[_Corner]:
    """From the top to the bottom: in its first step, the result grows into what it shares with
    the operand, upwards or, lying above, downwards."""
    step, low, high = box.begin, *_shared(box, operand)
    if operand["offset"] < box.low:
        return [(step, box.high), (step, high), (step + 1, low)]
    rest = [(step, box.high), (step, high)] if high < box.high else []
    return [*rest, (step + 1, high), (step, low), (step, box.low)]


def _right_of_operand(box: _Box, result: Mapping[str, Any]) -> list[_Corner]:
    """From the bottom to the top: the operand gives way in its last step."""
    step, low, high = box.end - 1, *_shared(box, result)
    if result["offset"] > box.low:
        rest = [(step + 1, high), (step + 1, box.high)] if high < box.high else []
        return [(step + 1, box.low), (step + 1, low), (step, high), *rest]
    return [(step, low), (step + 1, high), (step + 1, box.high)]


def _shared(box: _Box, other: Mapping[str, Any]) -> tuple[int, int]:
    """The addresses that lie in both."""
    return max(box.low, other["offset"]), min(box.high, other["offset"] + other["bytes"])


def _room(
    box: _Box,
    entry: Mapping[str, Any],
    successors: Mapping[str, Mapping[str, Any]],
    scale: _Scale,
) -> tuple[float, float, float, float]:
    """The rectangle for a label: of the steps in which the tensor has all of its memory alone, if
    there are any, else between the slopes."""
    begin = box.begin + (0.5 if entry.get("overlaps") else 0.0)
    end = box.end - (0.5 if entry["tensor"] in successors else 0.0)
    x, y = scale.x(begin), scale.y(box.high)
    return x, y, scale.x(end) - x, scale.y(box.low) - y


def _scratch(entry: Mapping[str, Any], scale: _Scale) -> str:
    box = _Box(entry["step"], entry["step"] + 1, entry["offset"], entry["offset"] + entry["bytes"])
    return (
        f"<g><title>{escape(entry['layer'])}: {entry['bytes']:,} bytes of working memory at "
        f'{entry["offset"]:,}</title><{_shape(box, None, None, scale)} class="scratch"/></g>'
    )


def _grid(arena_bytes: int, y_unit: float) -> list[str]:
    parts = []
    for value in _ticks(arena_bytes):
        y = HEIGHT - BOTTOM - value * y_unit
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{figures.size(value)}</text>"
        )
    top = HEIGHT - BOTTOM - arena_bytes * y_unit
    parts.append(
        f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top:.1f}" y2="{top:.1f}"/>'
    )
    return parts


def _ticks(arena_bytes: int) -> list[int]:
    """Round addresses, four to eight of them."""
    step = 16
    while arena_bytes / step > 8:
        step *= 2
    return list(range(0, arena_bytes + 1, step))


def _steps(columns: int, x_unit: float) -> list[str]:
    every = max(1, round(26 / x_unit))
    y = HEIGHT - BOTTOM + 16
    numbers = [
        f'<text class="tick" x="{LEFT + (i + 0.5) * x_unit:.1f}" y="{y}" text-anchor="middle">'
        f"{i}</text>"
        for i in range(0, columns, every)
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    axis = f'<text class="axis" x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">step</text>'
    return [*numbers, axis]


def _inherits(entry: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Whether a tensor in another's memory stands for all that is needed of that from its first
    step on. A piece of a tensor that is still read does not."""
    whole = (entry["offset"], entry["bytes"]) == (owner["offset"], owner["bytes"])
    return bool(whole or owner["last_step"] <= entry["first_step"])


def _hues(placements: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Colours in turn; a tensor in another's memory has the other's."""
    hues: dict[str, int] = {}
    fresh = 0
    for entry in sorted(placements, key=lambda e: (e["first_step"], e["offset"])):
        if entry["alias_of"] in hues:
            hues[entry["tensor"]] = hues[entry["alias_of"]]
        else:
            hues[entry["tensor"]] = fresh % _HUES
            fresh += 1
    return hues


def _label(entry: Mapping[str, Any], x: float, y: float, width: float, height: float) -> str:
    """Name and size where they fit into the rectangle, else the size, else nothing."""
    if height < _LABEL_HEIGHT or width < _LABEL_WIDTH:
        return ""
    room = int((width - 10) / _CHARACTER)
    texts = [str(figures.size(entry["bytes"]))]
    if height >= 2 * _LABEL_HEIGHT:
        texts.insert(0, _shortened(str(entry["layer"]), room))
    first = y + height / 2 + 4 - 7.5 * (len(texts) - 1)
    return "".join(
        f'<text class="label" x="{x + width / 2:.1f}" y="{first + 15 * i:.1f}" '
        f'text-anchor="middle">{escape(text)}</text>'
        for i, text in enumerate(texts)
        if len(text) <= room
    )


def _shortened(name: str, room: int) -> str:
    """The end of a layer's path that fits, from a part's beginning where there is one."""
    while len(name) > room and "/" in name:
        name = name.partition("/")[2]
    return name if len(name) <= room else "\N{HORIZONTAL ELLIPSIS}" + name[-(room - 1) :]
