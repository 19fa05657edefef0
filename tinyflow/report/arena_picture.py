"""The arena over time as SVG: a rectangle for each tensor, steps across, addresses upwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from tinyflow.report import figures

WIDTH, HEIGHT = 1000, 380
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 14, 46
_LABEL_WIDTH, _LABEL_HEIGHT = 46.0, 15.0
_CHARACTER = 6.6
_HUES = 6


def arena_picture(
    placements: Sequence[Mapping[str, Any]], steps: Sequence[str], arena_bytes: int
) -> Markup:
    """``placements``: tensor, layer, offset, bytes, first_step, last_step, alias_of; as in
    report.json. Rectangles are labelled with the layer that writes them.

    ``steps`` names the layer of each step. Tensors that take over another's memory are drawn
    with it in one colour.
    """
    columns = max(len(steps), 1)
    x_unit = (WIDTH - LEFT - RIGHT) / columns
    y_unit = (HEIGHT - TOP - BOTTOM) / max(arena_bytes, 1)
    parts = [*_grid(arena_bytes, y_unit), *_steps(columns, x_unit)]
    hues = _hues(placements)
    heirs = {e["alias_of"]: e["first_step"] for e in placements if e["alias_of"]}
    for entry in placements:
        # Memory changes hands in the middle of the step that works in place.
        begin = entry["first_step"] + (0.5 if entry["alias_of"] else 0.0)
        end = heirs[entry["tensor"]] + 0.5 if entry["tensor"] in heirs else entry["last_step"] + 1
        x, width = LEFT + begin * x_unit, (end - begin) * x_unit
        height = entry["bytes"] * y_unit
        y = HEIGHT - BOTTOM - entry["offset"] * y_unit - height
        first = steps[entry["first_step"]] if entry["first_step"] < len(steps) else ""
        last = steps[entry["last_step"]] if entry["last_step"] < len(steps) else ""
        parts.append(
            f"<g><title>{escape(entry['layer'])}: {entry['bytes']:,} bytes at "
            f"{entry['offset']:,}, from step {entry['first_step']} ({escape(first)}) to "
            f"{entry['last_step']} ({escape(last)})</title>"
            f'<rect class="tensor hue{hues[entry["tensor"]]}" x="{x + 0.75:.1f}" y="{y + 0.5:.1f}" '
            f'width="{max(width - 1.5, 1):.1f}" height="{max(height - 1, 1):.1f}" rx="2"/>'
            f"{_label(entry, x, y, width, height)}</g>"
        )
    return Markup(
        f'<svg class="arena" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Arena use over the steps of one inference">{"".join(parts)}</svg>'
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
