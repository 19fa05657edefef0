"""report.html is whole by itself, shows what was measured, and says what was not."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.digits import digits_bundle
from tinyflow.errors import BundleError
from tinyflow.report import (
    add_verdict,
    draw_report,
    no_accuracy,
    no_memory,
    read_report,
    summarize,
    write_report,
)
from tinyflow.report import figures as fig
from tinyflow.report.arena_picture import arena_picture
from tinyflow.report.page import breakable, render_page
from tinyflow.report.waterfall_picture import waterfall_picture

VOID = {"meta", "br", "line", "circle", "rect", "wbr"}


class Balance(HTMLParser):
    """Every element that is opened is closed, in order; external things are collected."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def parse(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return parser


@pytest.fixture
def report() -> dict[str, Any]:
    return deepcopy(read_report(digits_bundle().path))


@pytest.fixture
def bare(report: dict[str, Any]) -> dict[str, Any]:
    """A report of which nothing was measured."""
    layers = [
        {**layer, "sqnr_db": None, "saturation": None, "arena_bytes": None, "weight_bytes": None}
        for layer in report["layers"]
    ]
    return {
        **report,
        "accuracy": no_accuracy(),
        "memory": no_memory(),
        "layers": layers,
        "calibration": None,
        "arena": {"steps": [], "placements": []},
        "target": {"name": None, "core": None, "backend": None, "precision": "int8"},
    }


def test_the_page_needs_nothing_else(report: dict[str, Any]) -> None:
    page = render_page(report)
    found = parse(page)
    assert found.links == []
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert found.tags.count("svg") == 2


def test_the_page_shows_every_layer_and_figure(report: dict[str, Any]) -> None:
    page = render_page(report)
    text = re.sub(r"<wbr>", "", page)
    for layer in report["layers"]:
        assert layer["name"] in text
        assert layer["shape"] in text
    assert report["model"]["sha256"] in page
    assert fig.percent(report["accuracy"]["compiled"]["top1"]) in page
    assert fig.percent(report["accuracy"]["agreement"]) in page
    nbsp = "\N{NO-BREAK SPACE}"
    assert fig.size(report["memory"]["flash_bytes"]).replace(" ", nbsp) in page


def test_what_was_not_measured_is_left_out(bare: dict[str, Any], tmp_path: Path) -> None:
    page = render_page(bare)
    found = parse(page)
    assert "svg" not in found.tags
    assert "None" not in page
    assert "nan" not in re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL).lower()
    for heading in ("Accuracy, stage", "Memory<", "Arena over", "Proof"):
        assert heading not in page
    assert summarize(bare, tmp_path).count("\n") == 1


def test_names_are_escaped(report: dict[str, Any]) -> None:
    for layer in report["layers"]:
        layer["name"] = layer["source"] = "<script>&"
    for entry in report["arena"]["placements"]:
        entry["layer"] = "<b>x</b>"
    page = render_page(report)
    assert "<script" not in page
    assert "<b>x" not in page
    parse(page)
    assert breakable("a/b_c<") == "a/<wbr>b_<wbr>c&lt;"


def test_verdicts_good_and_bad(report: dict[str, Any], tmp_path: Path) -> None:
    write_report(tmp_path, report)
    good = {"runner": "qemu", "inputs": 8, "tensors_compared": 9, "bit_exact": True,
            "first_mismatch": None}  # fmt: skip
    bad = {**good, "runner": "host", "bit_exact": False, "first_mismatch": {"layer": "conv7"}}
    add_verdict(tmp_path, good)
    add_verdict(tmp_path, bad)
    add_verdict(tmp_path, {**good, "inputs": 99})
    stored = read_report(tmp_path)
    assert [(v["runner"], v["inputs"]) for v in stored["verify"]] == [("host", 8), ("qemu", 99)]
    page = (tmp_path / "report.html").read_text()
    assert 'class="good">bit-exact' in page
    assert 'class="bad">differs' in page
    assert "conv7" in page
    text = summarize(stored, tmp_path)
    assert "DIFFERS from the integer reference, first in layer 'conv7'" in text
    assert "equal to the integer reference (9 tensors, 99 inputs)" in text


def test_drawing_again_changes_nothing(report: dict[str, Any], tmp_path: Path) -> None:
    write_report(tmp_path, report)
    before = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.html").unlink()
    draw_report(tmp_path, read_report(tmp_path))
    assert (tmp_path / "report.html").read_bytes() == before


def test_reports_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no report\.json"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(BundleError, match="damaged"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps({"schema_version": 1, "model": {}}))
    with pytest.raises(BundleError, match="lacks target"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(BundleError, match="schema 99"):
        read_report(tmp_path)


def test_rectangles_stand_where_the_tensors_lie() -> None:
    entry = {"tensor": "t", "layer": "conv", "offset": 0, "bytes": 512, "first_step": 0,
             "last_step": 0, "alias_of": None}  # fmt: skip
    above = {**entry, "tensor": "u", "offset": 512, "first_step": 1, "last_step": 1}
    inside = {**above, "tensor": "v", "alias_of": "u"}
    svg = arena_picture([entry, above, inside], ["conv", "pool"], 1024)
    rectangles = [
        {k: float(v) for k, v in re.findall(r' (x|y|width|height)="([\d.]+)"', text)}
        for text in re.findall(r"<rect [^>]+>", svg)
    ]
    first, second, _ = rectangles
    assert first["x"] < second["x"]
    assert first["y"] > second["y"]
    assert first["height"] == pytest.approx(second["height"], abs=0.2)
    assert first["y"] == pytest.approx(second["y"] + second["height"] + 1, abs=0.2)
    hues = re.findall(r'class="tensor (hue\d)"', svg)
    assert hues[0] != hues[1] == hues[2]
    assert "conv: 512 bytes at 512, from step 1 (pool)" in svg


def _polygons(svg: str) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]
        for points in re.findall(r'<polygon points="([^"]+)"', svg)
    ]


def _area(corners: list[tuple[float, float]]) -> float:
    turned = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in turned)) / 2


@pytest.mark.parametrize(
    ("operand_at", "result_at", "operand_bytes", "result_bytes"),
    [(256, 0, 512, 512), (0, 256, 512, 512), (256, 0, 512, 1024), (0, 0, 1024, 512),
     (128, 0, 512, 256), (0, 128, 1024, 512), (0, 512, 1024, 512)],
)  # fmt: skip
def test_a_slope_parts_a_result_from_the_operand_below_it(
    operand_at: int, result_at: int, operand_bytes: int, result_bytes: int
) -> None:
    """Both areas together are those of the rectangles, less what they share in one step."""
    operand = {"tensor": "x", "layer": "conv", "offset": operand_at, "bytes": operand_bytes,
               "first_step": 0, "last_step": 1, "alias_of": None, "overlaps": None}  # fmt: skip
    result = {**operand, "tensor": "y", "layer": "pool", "offset": result_at, "first_step": 1,
              "bytes": result_bytes, "last_step": 2, "overlaps": "x"}  # fmt: skip
    svg = arena_picture([operand, result], ["conv", "pool", "end"], 1024)
    unit = (1000 - 66 - 12) / 3 * (380 - 14 - 46) / 1024
    ends = (operand_at + operand_bytes, result_at + result_bytes)
    shared = min(ends) - max(operand_at, result_at)
    areas = [_area(corners) for corners in _polygons(svg)]
    assert len(areas) == 2
    assert sum(areas) == pytest.approx(
        unit * (2 * operand_bytes + 2 * result_bytes - shared), rel=2e-3
    )
    assert all(area > unit * nbytes for area, nbytes in zip(areas, (operand_bytes, result_bytes),
                                                            strict=True))  # fmt: skip
    assert "pool: " in svg
    assert "over conv as that is consumed" in svg


def test_working_memory_is_framed() -> None:
    entry = {"layer": "conv", "offset": 512, "bytes": 512, "step": 0}
    svg = arena_picture([], ["conv"], 1024, [entry])
    assert "conv: 512 bytes of working memory at 512" in svg
    assert svg.count('class="scratch"') == 1


def test_the_waterfall_is_in_scale() -> None:
    stages = [
        {"stage": "a", "value": 90.0, "samples": 10, "ci95": [80.0, 95.0]},
        {"stage": "b", "value": 80.0, "samples": 10, "ci95": None},
    ]
    svg = waterfall_picture(stages)
    dots = [float(x) for x in re.findall(r'cx="([\d.]+)"', svg)]
    ((left, right),) = re.findall(r'class="whisker" x1="([\d.]+)" x2="([\d.]+)"', svg)
    assert dots[1] == pytest.approx(float(left))
    share = (dots[0] - float(left)) / (float(right) - float(left))
    assert share == pytest.approx(10 / 15, abs=0.01)
    same = [{**stages[0], "value": 100.0, "ci95": [100.0, 100.0]}] * 2
    assert "100.00%" in waterfall_picture(same)


def test_figures_for_people() -> None:
    assert [fig.size(n) for n in (None, 0, 1023, 1024, 1536, 3 << 20)] == [
        fig.NONE, "0 B", "1023 B", "1.0 KB", "1.5 KB", "3.00 MB",
    ]  # fmt: skip
    assert fig.count(1234) == "1,234"
    assert fig.count(2_656_768) == "2.66 M"
    assert fig.points(-0.333) == "-0.33 pp"
    assert fig.interval([1.0, 2.5]) == "1.00 to 2.50"
    assert fig.decibel(None) == fig.NONE
