"""A complete C++ project that runs a model in TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from tinyflow.codegen.c.comments import block
from tinyflow.codegen.c.ends import ends
from tinyflow.codegen.c.kernel_files import kernel_files
from tinyflow.codegen.c.names import comment_text
from tinyflow.codegen.c.templates import environment
from tinyflow.codegen.tflite.custom.kernel import OperatorKernel, operator_kernels
from tinyflow.codegen.tflite.custom.operator import bind_node
from tinyflow.codegen.tflite.file import TfliteFile
from tinyflow.codegen.tflite.project.arena import Arena, find_arena
from tinyflow.codegen.tflite.project.registrations import registrations
from tinyflow.ir import Graph, Op, Rounding

INTERPRETER_WORDS = 64
"""Room for the interpreter's own object, in 64-bit words; the compiler checks it."""
_TEXT_BYTES = 1 << 20
_BYTES_PER_LINE = 16


@dataclass(frozen=True, eq=False)
class Project:
    """``files`` are contents by path in the bundle."""

    files: Mapping[str, bytes]
    arena: Arena


def make_project(graph: Graph, file: TfliteFile, name: str, banner: Sequence[str] = ()) -> Project:
    """The project of the model that ``file`` was written from.

    Its C API is that of every compiled model: ``name`` begins each public name. Raises
    `MissingExtraError` where the interpreter that sizes the arena is not installed.
    """
    custom = {n.name: bind_node(graph, n) for n in graph.nodes if n.name in file.custom_nodes}
    kernels = operator_kernels(custom.values())
    arena = find_arena(graph, file, custom)
    values: dict[str, Any] = {
        "name": name,
        "upper": name.upper(),
        "banner": block([comment_text(line) for line in banner] or [name]),
        "arena_bytes": arena.nbytes,
        "verify_arena_bytes": arena.keep_all_bytes,
        "interpreter_words": INTERPRETER_WORDS,
        "inputs": ends(graph, name, "input", {}),
        "outputs": ends(graph, name, "output", {}),
        "operators": registrations(file.operators),
        "kernels": kernels,
        "layers": _layers(graph),
        "taps": _taps(graph, file),
    }
    contents = {
        f"include/{name}.h": _render("tflite/model.h.j2", values),
        f"src/{name}.cc": _render("tflite/model.cc.j2", values),
        f"src/{name}.tflite": file.data,
        **_model_array(file.data, name, values),
        **operator_files(kernels, values["banner"], graph.rounding),
    }
    return Project(contents, arena)


def _layers(graph: Graph) -> list[dict[str, object]]:
    return [
        {
            "title": f"{node.op.value}: {comment_text(node.name)}",
            "nbytes": graph.result(node).nbytes,
        }
        for node in graph.nodes
    ]


def _taps(graph: Graph, file: TfliteFile) -> list[dict[str, object]]:
    """A reshape shows nothing that was not shown before."""
    return [
        {"layer": number, "tensor": file.indices[node.output], "title": comment_text(node.name)}
        for number, node in enumerate(graph.nodes)
        if node.op is not Op.RESHAPE
    ]


def _model_array(data: bytes, name: str, values: Mapping[str, Any]) -> dict[str, bytes]:
    """Text where that is of a reasonable size, else linked from the file itself."""
    rows = (data[i : i + _BYTES_PER_LINE] for i in range(0, len(data), _BYTES_PER_LINE))
    lines = [", ".join(f"0x{byte:02x}" for byte in row) + "," for row in rows]
    entries = {**values, "nbytes": len(data), "lines": lines if len(data) <= _TEXT_BYTES else None}
    return {
        f"src/{name}_model.h": _render("tflite/model_data.h.j2", entries),
        f"src/{name}_model.c": _render("tflite/model_data.c.j2", entries),
    }


def operator_files(
    kernels: Sequence[OperatorKernel], banner: str, rounding: Rounding | None
) -> dict[str, bytes]:
    """The sources of custom operators, where there are any, and the headers of their kernels.

    ``banner`` is the comment at the head of each file.
    """
    values = {
        "banner": banner,
        "single_rounding": rounding is Rounding.SINGLE,
        "kernels": kernels,
        "most_operands": max((kernel.operands for kernel in kernels), default=0),
    }
    headers = kernel_files([kernel.kernel for kernel in kernels])
    contents = {f"kernels/{file}": text for file, text in headers.items()}
    if not kernels:
        return contents
    for kernel in kernels:
        entries = {**values, "kernel": kernel}
        contents[f"src/{kernel.kernel}_operator.c"] = _render("tflite/kernel.c.j2", entries)
    for file in ("operator.h", "operators.h", "operators.cc"):
        contents[f"src/tinyflow_{file}"] = _render(f"tflite/{file}.j2", values)
    return contents


@cache
def _environment() -> jinja2.Environment:
    places = {"c": "tinyflow.codegen.c", "tflite": "tinyflow.codegen.tflite"}
    return environment(
        jinja2.PrefixLoader({name: jinja2.PackageLoader(place) for name, place in places.items()})
    )


def _render(template: str, values: Mapping[str, Any]) -> bytes:
    return _environment().get_template(template).render(values).encode("ascii")
