"""report.html: one self-contained page, drawn from report.json alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup, escape

from tinyflow.report import figures
from tinyflow.report.arena_picture import arena_picture
from tinyflow.report.summary import verdict_text
from tinyflow.report.waterfall_picture import waterfall_picture


def render_page(report: Mapping[str, Any]) -> str:
    """The page as HTML. It loads nothing and runs no script."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tinyflow.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        size=_unbroken(figures.size),
        count=figures.count,
        percent=figures.percent,
        decibel=_unbroken(figures.decibel),
        points=_unbroken(figures.points),
        interval=figures.interval,
        verdict=verdict_text,
        breakable=breakable,
        exact=figures.exact,
        milliseconds=_unbroken(figures.milliseconds),
        clock=_unbroken(figures.clock),
    )
    template = environment.get_template("report.html.j2")
    return template.render(report=report, **_pictures(report), **_scales(report), **_times(report))


def _unbroken(write: Callable[..., str]) -> Callable[..., str]:
    """A figure and its unit stay on one line."""
    return lambda value: write(value).replace(" ", "\N{NO-BREAK SPACE}")


def breakable(name: str) -> Markup:
    """A layer's name that may continue on the next line after a separator."""
    return Markup(re.sub(r"([/_.])(?=\w)", r"\1<wbr>", str(escape(name))))


def _pictures(report: Mapping[str, Any]) -> dict[str, Any]:
    arena, stages = report["arena"], report["accuracy"]["waterfall"]
    return {
        "arena_svg": arena_picture(
            arena["placements"],
            arena["steps"],
            report["memory"]["arena_bytes"],
            arena.get("scratch", ()),
        )
        if arena["placements"]
        else None,
        "waterfall_svg": waterfall_picture(stages) if len(stages) > 1 else None,
    }


def _scales(report: Mapping[str, Any]) -> dict[str, float]:
    """What full-length bars of the layer table stand for."""
    layers = report["layers"]
    return {
        "most_weights": max([layer["weight_bytes"] or 0 for layer in layers], default=0) or 1,
        "most_macs": max([layer["macs"] or 0 for layer in layers], default=0) or 1,
        "most_arena": max([layer["arena_bytes"] or 0 for layer in layers], default=0) or 1,
        "best_sqnr": max(
            [layer["sqnr_db"] for layer in layers if layer["sqnr_db"] is not None], default=1.0
        ),
    }


def _times(report: Mapping[str, Any]) -> dict[str, Any]:
    """The layers whose cycles are known, with the best figure for each as ``best``."""
    with_flash = any(entry["cycles_flash"] is not None for entry in report["latency"])
    key = "cycles_flash" if with_flash else "cycles"
    timed = [{**layer, "best": layer[key]} for layer in report["layers"] if layer.get(key)]
    cycles = [layer["best"] for layer in timed]
    return {
        "timed_layers": timed,
        "with_flash": with_flash,
        "most_cycles": max(cycles, default=1),
        "all_cycles": max([entry[key] or 0 for entry in report["latency"]], default=0) or 1,
    }
