"""manifest.json: what a bundle was made from, and how. It holds no dates and no paths."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tinyflow import __version__
from tinyflow.data import Dataset
from tinyflow.data.spec import layout_of, source_shape
from tinyflow.ir import DType, Graph, Tensor
from tinyflow.pipeline.source import Source
from tinyflow.project import CompileOptions
from tinyflow.quantize import QuantizeOptions
from tinyflow.targets import Target

SCHEMA_VERSION = 1
PRECISION = "int8"
_TENSORFLOW = ("numpy", "tensorflow", "keras", "ai-edge-litert", "flatbuffers")
_PACKAGES = {
    "onnx": ("numpy", "onnx", "onnxsim"),
    "tflite": ("numpy", "ai-edge-litert", "flatbuffers"),
    "tfq": ("numpy",),
    "torch": ("numpy", "torch"),
    "pt2": ("numpy", "torch"),
    "keras": _TENSORFLOW,
    "h5": _TENSORFLOW,
    "savedmodel": _TENSORFLOW,
}
_TFLITE = ("ai-edge-litert", "flatbuffers", "tflite-micro")
_BACKEND_PACKAGES = {"tflm": _TFLITE, "tvm": ("apache-tvm", "apache-tvm-ffi")}


def make_manifest(
    source: Source,
    graph: Graph,
    target: Target | None,
    options: CompileOptions,
    calibration: Dataset | None,
) -> dict[str, Any]:
    """``target`` is None for a model that was only quantized."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tinyflow": __version__,
        "model": {
            "name": source.name,
            "format": source.format,
            "sha256": source.sha256,
            "licence": None,
        },
        "target": target_entry(target, options),
        "options": option_entries(graph, options),
        "preprocess": {
            "mean": list(options.mean),
            "std": list(options.std),
            "scale": options.scale,
            "x_scale": options.x_scale,
            "x_zero_point": options.x_zero_point,
        },
        "inputs": [_end(graph, source.canonical, name) for name in graph.inputs],
        "outputs": [_end(graph, source.canonical, name) for name in graph.outputs],
        "calibration": calibration_entry(calibration),
        "seed": QuantizeOptions().seed,
        "packages": package_versions(source.format, options),
    }


def target_entry(target: Target | None, options: CompileOptions) -> dict[str, Any]:
    return {
        "name": target.name if target else None,
        "core": target.core if target else None,
        "backend": options.backend if target else None,
        "precision": PRECISION,
    }


def option_entries(graph: Graph, options: CompileOptions) -> dict[str, str]:
    """Options that shaped the result, as text; files are known by their hashes elsewhere."""
    entries = {
        "optimize": options.optimize,
        "ranges": options.ranges,
        "rounding": graph.rounding.value if graph.rounding else options.rounding,
    }
    if options.tflite_builtins:
        entries["operators of TFLite"] = "builtin only"
    for name, (lo, hi) in sorted(options.input_ranges.items()):
        entries[f"range of {name}"] = f"{lo:g} to {hi:g}"
    for name, shape in sorted(options.shapes.items()):
        entries[f"shape of {name}"] = "x".join(map(str, shape))
    for key in ("num_classes", "resolution"):
        if getattr(options, key) is not None:
            entries[key.replace("_", " ")] = str(getattr(options, key))
    if options.mean or options.std or options.scale != 1.0:
        mean = ", ".join(f"{m:g}" for m in options.mean) or "0"
        std = ", ".join(f"{s:g}" for s in options.std) or "1"
        entries["pixels"] = f"(pixel * {options.scale:g} - ({mean})) / ({std})"
    if options.x_scale is not None:
        entries["integer data"] = f"{options.x_scale:g} * (x - {options.x_zero_point})"
    return entries


def calibration_entry(calibration: Dataset | None) -> dict[str, Any] | None:
    if calibration is None:
        return None
    return {
        "samples": len(calibration),
        "sha256": calibration.sha256,
        "random": calibration.random,
    }


def _end(graph: Graph, canonical: Graph, name: str) -> dict[str, Any]:
    """One input or output. ``shape`` is the source model's, ``stored_shape`` the C buffer's."""
    tensor = graph.tensors[name]
    quantized = tensor.quant is not None and tensor.quant.axis is None
    return {
        "name": name,
        "shape": list(source_shape(graph, name)),
        "layout": list(layout_of(graph, name)),
        "stored_shape": list(tensor.shape),
        "dtype": tensor.dtype.value,
        "source_dtype": _source_dtype(canonical, tensor).value,
        "scale": tensor.params.scale if quantized else None,
        "zero_point": tensor.params.zero_point if quantized else None,
    }


def _source_dtype(canonical: Graph, tensor: Tensor) -> DType:
    """As the source model has it; what post-processing made is real where it has a scale."""
    if tensor.name in canonical.tensors:
        return canonical.tensors[tensor.name].dtype
    return tensor.dtype if tensor.params.scale == 1.0 else DType.FLOAT32


def package_versions(model_format: str, options: CompileOptions) -> dict[str, str]:
    """Versions of the packages that the result depends on; what is not installed is left out."""
    names = [*_PACKAGES[model_format], *_BACKEND_PACKAGES.get(str(options.backend), ())]
    if options.tflite or options.tflite_builtins:
        names += _TFLITE
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def file_hashes(directory: Path) -> dict[str, str]:
    """SHA-256 by relative path of every file in a bundle that does not change later."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
