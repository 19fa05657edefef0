"""Measuring variants on the emulator, and what compiling with --autotune makes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.digits import CALIBRATION, MODEL
from tinyflow import compile
from tinyflow.cli.main import main
from tinyflow.codegen.c import Feature, Goal, choose_variants, variants_of
from tinyflow.ir import Graph
from tinyflow.targets import load_target
from tinyflow.tune import autotune, measure_choices
from tinyflow.tune import measure as measuring
from tinyflow.tune.shapes import conv, networks
from tinyflow.tune.tabulate import tabulate, to_text

DSP = frozenset({Feature.DSP})

pytestmark = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="measures on the emulator",
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, with the profiler in it that was built before."""
    from tinyflow.targets.profiler.plugin import build_plugin

    folder = tmp_path / "cache" / "tinyflow"
    folder.mkdir(parents=True)
    shutil.copy(build_plugin(), folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parent))
    return folder


@pytest.fixture
def graph() -> Graph:
    return networks([conv(6, 6, 8, 8, (3, 3)), conv(6, 6, 8, 8, (1, 1))], 2)[0]


def test_costs_of_every_variant_of_every_layer(graph: Graph) -> None:
    target = load_target("nucleo-l4r5zi")
    costs = autotune(graph, target, Goal.SPEED)
    for node in graph.nodes:
        found = {}
        for variant in variants_of(graph, node, DSP, Goal.SPEED):
            cost = costs(graph, node, variant)
            assert cost is not None and cost.own_bytes > node_weights(graph, node.inputs[1])
            assert cost.flash_loads > 0 and cost.cache_misses > 0
            found[variant.name] = cost.cycles
        assert len(set(found.values())) == len(found) > 1
        best = choose_variants(graph, DSP, Goal.SPEED, costs)[node.name].name
        assert found[best] == min(found.values())


def node_weights(graph: Graph, name: str) -> int:
    return graph.tensors[name].nbytes


def test_measured_twice_from_the_cache(
    graph: Graph, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = load_target("cortex-m4")
    choices = choose_variants(graph, DSP, Goal.SPEED)
    first = measure_choices(graph, choices, target, "speed")
    (kept,) = (cache / "tuning").iterdir()
    assert measure_choices(graph, choices, target, "speed", use_cache=False) == first

    def never(*arguments: object) -> None:
        raise AssertionError("measured again")

    with monkeypatch.context() as patch:
        patch.setattr(measuring, "_profile", never)
        assert measure_choices(graph, choices, target, "speed") == first
        with pytest.raises(AssertionError, match="again"):
            measure_choices(graph, choices, target, "balanced")
    kept.write_text("{ half a fi")
    assert measure_choices(graph, choices, target, "speed") == first


def test_table_is_the_same_every_time(graph: Graph) -> None:
    target = load_target("nucleo-l4r5zi")
    document = tabulate([graph], target)
    assert to_text(document) == to_text(tabulate([graph], target))
    assert document["models"]["CONV_2D portable"]["shapes"] == 2
    assert len(document["measured"]) == 2


@pytest.mark.slow
def test_compiling_with_autotune(tmp_path: Path) -> None:
    """The manifest tells which kernels were chosen by what; equal choices, equal sources."""
    tuned, table = tmp_path / "tuned", tmp_path / "table"
    arguments = ["compile", str(MODEL), "--target", "cortex-m4", "--calibration", str(CALIBRATION)]
    assert main([*arguments, "--autotune", "--no-run", "-o", str(tuned)]) == 0
    assert main([*arguments, "--no-run", "-o", str(table)]) == 0
    entries = {
        p.name: json.loads((p / "manifest.json").read_text())["kernels"] for p in (tuned, table)
    }
    assert (entries["tuned"]["costs"], entries["table"]["costs"]) == ("measured", "table")
    layers = json.loads((tuned / "report.json").read_text())["layers"]
    assert entries["tuned"]["layers"] == {layer["name"]: layer["kernel"] for layer in layers}
    assert set(entries["tuned"]["layers"].values()) > {"portable"}
    if entries["tuned"]["layers"] == entries["table"]["layers"]:
        sources = [(p / "src" / "digits.c").read_bytes() for p in (tuned, table)]
        assert sources[0] == sources[1]


@pytest.mark.slow
def test_a_limit_on_ram_leads_to_leaner_kernels(tmp_path: Path) -> None:
    def arena(name: str, **options: object) -> int:
        bundle = compile(
            MODEL,
            target="cortex-m4",
            output=tmp_path / name,
            calibration=CALIBRATION,
            optimize="speed",
            run=False,
            **options,
        )
        return int(bundle.report["memory"]["arena_bytes"])

    free = arena("free")
    # The harness has buffers of its own beside the arena.
    report = json.loads((tmp_path / "free" / "report.json").read_text())
    beside = report["memory"]["ram_bytes"] - free
    assert arena("limited", max_ram=free - 16 + 2048) <= free
    assert beside < 2048
