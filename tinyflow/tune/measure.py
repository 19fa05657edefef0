"""What each layer of a network costs with one choice of kernels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinyflow.bundle import Bundle, json_bytes, write_files
from tinyflow.codegen.c import (
    Choices,
    CodegenOptions,
    Cost,
    CSources,
    LayerInfo,
    demands_of,
    generate,
)
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import Graph
from tinyflow.ir.serialize import to_bytes
from tinyflow.targets import Target
from tinyflow.targets.app import app_files
from tinyflow.targets.profiler import Counts, load_timing, profile_firmware
from tinyflow.targets.profiler.plugin import plugin_sources
from tinyflow.targets.profiler.symbols import function_ranges, read_symbols
from tinyflow.targets.runners.qemu import find_firmware
from tinyflow.targets.tools import call
from tinyflow.tune.cache import Figures, load_figures, store_figures

NAME = "net"
"""The C name under which a network is measured: what it is called does not matter."""

_OWN_CODE = (f"{NAME}_", "tinyflow_")
"""How generated functions begin; others, such as memcpy, belong to no layer."""


def measure_choices(
    graph: Graph, choices: Choices, target: Target, optimize: str, use_cache: bool = True
) -> dict[str, Cost]:
    """The cost of each node's chosen variant, by the node's name, from one inference of random
    codes on the emulated core.

    The same sources, compiler and core model give the same figures: these are kept in the user's
    cache. Raises `ToolError` where a tool is missing or fails.
    """
    schedule = make_schedule(graph, demands_of(graph, choices))
    graph = schedule.graph
    sources = generate(schedule, NAME, CodegenOptions(), choices=choices)
    files = {**sources.files, **app_files(NAME, graph, target, optimize)}
    inputs = _random_codes(graph)
    key = _digest(files, inputs, target, optimize)
    figures = load_figures(key) if use_cache else None
    if figures is None:
        with TemporaryDirectory(prefix="tinyflow-tune-") as folder:
            figures = _profile(Path(folder), graph, files, sources, inputs, target, optimize)
        store_figures(key, figures)
    return {info.name: _cost(info, figures) for info in sources.layers}


def _random_codes(graph: Graph) -> dict[str, np.ndarray]:
    """One input. Kernels hardly depend on values; these are the same every time."""
    rng = np.random.default_rng(0)
    codes = {}
    for name in graph.inputs:
        tensor = graph.tensors[name]
        limits = np.iinfo(tensor.dtype.numpy)
        shape = (1, *tensor.shape[1:])
        codes[name] = rng.integers(limits.min, limits.max, shape, tensor.dtype.numpy, endpoint=True)
    return codes


def _digest(
    files: Mapping[str, bytes], inputs: Mapping[str, np.ndarray], target: Target, optimize: str
) -> str:
    """Of everything that the figures depend on."""
    compiler = call([target.compiler, "--version"], "tuning", Path.cwd())
    timing = load_timing(target.core)
    flash = target.board.flash_profile if target.board else None
    settings = (compiler, target.flags, optimize, timing.cycles, timing.rules, flash)
    digest = hashlib.sha256(repr(settings).encode())
    for name, data in sorted({**files, **plugin_sources()}.items()):
        digest.update(f"\n{name} {len(data)}\n".encode())
        digest.update(data)
    for array in inputs.values():
        digest.update(array.tobytes())
    return digest.hexdigest()


def _profile(
    folder: Path,
    graph: Graph,
    files: Mapping[str, bytes],
    sources: CSources,
    inputs: Mapping[str, np.ndarray],
    target: Target,
    optimize: str,
) -> Figures:
    manifest = {
        "schema_version": 1,
        "model": {"name": NAME},
        "target": {"name": target.name},
        "options": {"optimize": optimize},
    }
    written = {**files, "model.tfq": to_bytes(graph), "manifest.json": json_bytes(manifest)}
    write_files(folder, written)
    bundle = Bundle(folder, manifest)
    functions = [info.function for info in sources.layers if info.function]
    (inference,) = profile_firmware(bundle, inputs, {*functions, f"{NAME}_run", "main"}).inferences
    sizes = {
        symbol.name: symbol.nbytes
        for symbol in function_ranges(read_symbols(find_firmware(bundle, target)))
    }
    called: dict[str, int] = {}
    for root, function in inference.table:
        if function != root and function.startswith(_OWN_CODE):
            called[root] = called.get(root, 0) + sizes.get(function, 0)
    by_root = inference.by_root
    return {
        name: (
            *_waits(by_root.get(name, Counts())),
            sizes.get(name, 0),
            called.get(name, 0),
        )
        for name in functions
    }


def _waits(counts: Counts) -> tuple[int, int, int]:
    return counts.cycles, counts.flash_loads, counts.cache_misses


def _cost(info: LayerInfo, figures: Figures) -> Cost:
    if info.function is None:
        return Cost(0)
    cycles, loads, misses, own, shared = figures[info.function]
    return Cost(cycles, loads, misses, own + info.weight_bytes + info.table_bytes, shared)
