"""The waterfall of accuracy as SVG: each stage's value with its confidence interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from tinyflow.report import figures

WIDTH, ROW = 1000, 34
LEFT, RIGHT, TOP, BOTTOM = 190, 90, 8, 26


def waterfall_picture(stages: Sequence[Mapping[str, Any]]) -> Markup:
    """``stages`` as in report.json: stage, value (percent), samples, ci95 or None."""
    bounds = [b for s in stages for b in (s["ci95"] or (s["value"], s["value"]))]
    lo, hi = min(bounds), max(bounds)
    pad = max((hi - lo) * 0.08, 0.25)
    lo, hi = max(0.0, lo - pad), min(100.0, hi + pad)
    height = TOP + ROW * len(stages) + BOTTOM

    def place(value: float) -> float:
        return LEFT + (value - lo) / (hi - lo) * (WIDTH - LEFT - RIGHT)

    parts = []
    for tick in _ticks(lo, hi):
        x = place(tick)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
            f'<text class="tick" x="{x:.1f}" y="{height - 8}" text-anchor="middle">'
            f"{tick:g}%</text>"
        )
    for index, stage in enumerate(stages):
        y = TOP + ROW * (index + 0.5)
        x = place(stage["value"])
        parts.append(
            f'<text class="name" x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(stage['stage'])}</text>"
        )
        if stage["ci95"]:
            a, b = (place(v) for v in stage["ci95"])
            parts.append(
                f'<line class="whisker" x1="{a:.1f}" x2="{b:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>'
            f'<text class="value" x="{WIDTH - RIGHT + 12}" y="{y + 4:.1f}">'
            f"{figures.percent(stage['value'])}</text>"
        )
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Accuracy after each stage">{"".join(parts)}</svg>'
    )


def _ticks(lo: float, hi: float) -> list[float]:
    """Round values, at most eight."""
    steps = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    step = next((s for s in steps if (hi - lo) / s <= 8), steps[-1])
    first = int(lo / step) + 1
    return [round(first * step + i * step, 3) for i in range(int((hi - first * step) / step) + 1)]
