"""Bundles of quantized graphs for TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinyflow.bundle import json_bytes, vector_files, write_files
from tinyflow.codegen.tflite import write_tflite
from tinyflow.codegen.tflite.project import Project, make_project
from tinyflow.ir import Graph, serialize
from tinyflow.quantize import run_reference
from tinyflow.targets import load_target
from tinyflow.targets.app import tflite_micro_files

NAME = "net"


def project_of(graph: Graph) -> Project:
    return make_project(graph, write_tflite(graph, NAME), NAME)


def write_tflm_bundle(
    path: Path, graph: Graph, inputs: Mapping[str, np.ndarray], target: str = "host"
) -> Path:
    """``inputs`` are raw codes, which become the test vectors."""
    manifest = {"schema_version": 1, "model": {"name": NAME}, "target": {"name": target}}
    files = {
        **project_of(graph).files,
        **tflite_micro_files(NAME, graph, load_target(target)),
        **vector_files(graph, inputs, run_reference(graph, inputs)),
        "model.tfq": serialize.to_bytes(graph),
        "manifest.json": json_bytes(manifest),
        "report.json": json_bytes({"schema_version": 1}),
    }
    write_files(path, files)
    return path
