"""From a schedule to C sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jinja2
import numpy as np

from tinyflow.codegen.c.blocks import BlockPool
from tinyflow.codegen.c.comments import block
from tinyflow.codegen.c.constants import ConstantArray, ConstantPool, Kind
from tinyflow.codegen.c.emitted import EmittedLayer, emit_layer, layer_stem
from tinyflow.codegen.c.ends import ends, ends_of
from tinyflow.codegen.c.functions import FunctionPool
from tinyflow.codegen.c.fused_step import EmittedFused, emit_fused
from tinyflow.codegen.c.kernel_files import kernel_files
from tinyflow.codegen.c.layer import Layer, address
from tinyflow.codegen.c.names import comment_text
from tinyflow.codegen.c.sources import CodegenOptions, CSources
from tinyflow.codegen.c.templates import environment
from tinyflow.codegen.c.variants import PORTABLE, Choices
from tinyflow.codegen.schedule import Schedule
from tinyflow.ir import DType, Op, Rounding

_DEFAULTS = CodegenOptions()


def generate(
    schedule: Schedule,
    name: str,
    options: CodegenOptions = _DEFAULTS,
    banner: Sequence[str] = (),
    choices: Choices | None = None,
) -> CSources:
    """C99 sources of a quantized, scheduled graph.

    ``name`` begins every public C name and must be an identifier in lower or upper case;
    ``banner`` are the lines of the comment at the head of each file. ``choices`` are the kernel
    variants for whose demands the schedule was made; a node without an entry gets its portable
    kernel. Equal arguments give equal bytes.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"'{name}' is not a C identifier")
    if not schedule.graph.is_quantized:
        raise ValueError("the graph has no integers yet: attach_integers comes first")
    choices = choices or {}
    pool, blocks, functions = ConstantPool(), BlockPool(name), FunctionPool()
    steps = _emit_steps(schedule, name, pool, blocks, functions, choices)
    layers = [layer for step in steps for layer in step.layers]
    kernels = sorted({call.header for layer in layers for call in layer.calls})
    values: dict[str, Any] = {
        "name": name,
        "upper": name.upper(),
        "banner": block([comment_text(line) for line in banner] or [name]),
        "single_rounding": schedule.graph.rounding is Rounding.SINGLE,
        "arena_bytes": schedule.arena_bytes,
        "inputs": _placed_ends(schedule, name, "input"),
        "outputs": _placed_ends(schedule, name, "output"),
        "steps": steps,
        "layers": layers,
        "kernels": kernels,
        "has_constants": bool(pool.arrays),
        "moves": any(call.copies for layer in layers for call in layer.calls)
        or any(step.fused is not None and step.fused.moves for step in steps),
        "blocks": blocks.placed,
        "functions": functions.placed,
    }
    contents = {
        f"include/{name}.h": _render("model.h.j2", values),
        f"src/{name}.c": _render("model.c.j2", values),
        **_weight_files(pool, name, options, values),
        **_block_files(name, values),
        **{f"kernels/{file}": text for file, text in kernel_files(kernels).items()},
    }
    return CSources(
        files=contents,
        layers=tuple(layer.info for layer in layers),
        weight_bytes=pool.nbytes(Kind.WEIGHT),
        table_bytes=pool.nbytes(Kind.TABLE),
    )


@dataclass(frozen=True, eq=False)
class _EmittedStep:
    """The layers of a step, and what joins them where they are several."""

    layers: list[EmittedLayer]
    fused: EmittedFused | None = None

    @property
    def function(self) -> str | None:
        """What the model's function calls, if anything."""
        if self.fused is not None:
            return self.fused.function
        return self.layers[0].function if self.layers[0].calls else None

    @property
    def tap(self) -> str | None:
        """What shows a tensor that is a piece of another one, and that no function computes. A
        reshape shows nothing that was not shown before."""
        layer = self.layers[0]
        if self.function is not None or layer.info.op is Op.RESHAPE:
            return None
        return f"TINYFLOW_TAP({layer.number}, 0, {layer.rows}, net->{layer.place});"


def _emit_steps(
    schedule: Schedule,
    name: str,
    pool: ConstantPool,
    blocks: BlockPool,
    functions: FunctionPool,
    choices: Choices,
) -> list[_EmittedStep]:
    """Layers are numbered in the order in which the graph of the schedule has them."""
    steps, number = [], 0
    for step in schedule.steps:
        if step.fused is not None:
            fused = emit_fused(schedule, step, number, name, pool, blocks, choices)
            steps.append(_EmittedStep(fused.layers, fused))
        else:
            (node,) = step.nodes
            numbered = replace(step, index=number)
            stem = f"{name}_{layer_stem(node, numbered)}"
            layer = Layer(schedule, numbered, stem, pool, blocks, functions=functions)
            variant = choices.get(node.name, PORTABLE[node.op])
            steps.append(_EmittedStep([emit_layer(layer, variant)]))
        number += len(step.nodes)
    return steps


def _placed_ends(schedule: Schedule, name: str, kind: str) -> list[dict[str, object]]:
    """Inputs or outputs with the C expression of where they lie in the arena."""
    graph = schedule.graph
    entries = ends(graph, name, kind, schedule.placements)
    for entry, tensor in zip(entries, ends_of(graph, kind), strict=True):
        where = address("net->arena", schedule.placements[tensor.name].offset)
        const = "const " if kind == "output" else ""
        is_plain = tensor.dtype is DType.INT8
        entry["pointer"] = where if is_plain else f"({const}{tensor.dtype.c_type} *)({where})"
    return entries


def _weight_files(
    pool: ConstantPool, name: str, options: CodegenOptions, values: Mapping[str, Any]
) -> dict[str, bytes]:
    if not pool.arrays:
        return {}
    text, binary = list(pool.arrays), []
    if pool.nbytes(Kind.WEIGHT) > options.binary_weights_over:
        text = [array for array in pool.arrays if array.kind is Kind.TABLE]
        binary = [array for array in pool.arrays if array.kind is Kind.WEIGHT]
    offsets = np.cumsum([0, *(array.nbytes for array in binary)]).tolist()
    header = {**values, "arrays": pool.arrays}
    source = {**values, "arrays": text, "binary": list(zip(binary, offsets, strict=False))}
    contents = {
        f"src/{name}_weights.h": _render("weights.h.j2", header),
        f"src/{name}_weights.c": _render("weights.c.j2", source),
    }
    if binary:
        contents[f"src/{name}_weights.bin"] = b"".join(_little_endian(a) for a in binary)
    return contents


def _block_files(name: str, values: Mapping[str, Any]) -> dict[str, bytes]:
    """The assembly blocks and their declarations, where there are any."""
    if not values["blocks"]:
        return {}
    return {
        f"src/{name}_blocks.S": _render("blocks.S.j2", values),
        f"src/{name}_blocks.h": _render("blocks.h.j2", values),
    }


def _little_endian(array: ConstantArray) -> bytes:
    return array.data.astype(array.data.dtype.newbyteorder("<")).tobytes()


@cache
def _environment() -> jinja2.Environment:
    return environment(jinja2.PackageLoader("tinyflow.codegen.c"))


def _render(template: str, values: Mapping[str, Any]) -> bytes:
    return _environment().get_template(template).render(values).encode("ascii")
