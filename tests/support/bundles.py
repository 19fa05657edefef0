"""Bundles for tests: one whose C was written by hand, to test without codegen, and real ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinyflow.bundle import json_bytes, vector_files, write_files
from tinyflow.codegen.c import (
    CodegenOptions,
    Goal,
    Plan,
    choose_variants,
    demands_of,
    features_of,
    generate,
    plan_model,
)
from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import DType, Graph, Node, Op, QuantParams, Rounding, Tensor, serialize
from tinyflow.ir.integer import TableForm
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.quantize import run_reference
from tinyflow.targets import load_target
from tinyflow.targets.app import app_files

Arrays = Mapping[str, np.ndarray]

SHAPE = (1, 3, 2, 4)
ROWS = SHAPE[1]
TABLE = np.roll(np.arange(-128, 128), 77).astype(np.int8)

KERNELS = """
#ifndef TINYFLOW_H
#define TINYFLOW_H
#include <stddef.h>
#include <stdint.h>
typedef enum { TINYFLOW_OK = 0, TINYFLOW_ERROR_ARENA_SIZE } tinyflow_status;
#ifdef TINYFLOW_VERIFY
void tinyflow_tap(int32_t layer, int32_t y0, int32_t y1, const void *rows);
extern const uint32_t tinyflow_tap_row_bytes[];
#define TINYFLOW_TAP(layer, y0, y1, rows) tinyflow_tap((layer), (y0), (y1), (rows))
#else
#define TINYFLOW_TAP(layer, y0, y1, rows) ((void)0)
#endif
#endif
"""

HEADER = """
#ifndef TABLES_H
#define TABLES_H
#include "tinyflow.h"
#define TABLES_ARENA_SIZE 48u
#define TABLES_INPUT_0_BYTES 24u
#define TABLES_OUTPUT_0_BYTES 24u
#define TABLES_OUTPUT_1_BYTES 24u
typedef struct { int8_t *arena; } tables_t;
tinyflow_status tables_init(tables_t *net, void *arena, size_t arena_size);
int8_t *tables_input_0(tables_t *net);
tinyflow_status tables_run(tables_t *net);
const int8_t *tables_output_0(const tables_t *net);
const int8_t *tables_output_1(const tables_t *net);
#endif
"""

SOURCE = """
#include "tables.h"
extern const int8_t tables_table[256];
#ifdef TINYFLOW_VERIFY
const uint32_t tinyflow_tap_row_bytes[2] = {8u, 8u};
#endif
static void look_up(int32_t layer, const int8_t *x, int8_t *y)
{
    (void)layer;
    for (int32_t row = 0; row < 3; row++) {
        for (int32_t i = 0; i < 8; i++) {
            y[8 * row + i] = tables_table[x[8 * row + i] + 128];
        }
        TINYFLOW_TAP(layer, row, row + 1, y + 8 * row);
    }
}
tinyflow_status tables_init(tables_t *net, void *arena, size_t arena_size)
{
    net->arena = arena;
    return arena_size < TABLES_ARENA_SIZE ? TINYFLOW_ERROR_ARENA_SIZE : TINYFLOW_OK;
}
int8_t *tables_input_0(tables_t *net) { return net->arena; }
const int8_t *tables_output_0(const tables_t *net) { return net->arena + 24; }
const int8_t *tables_output_1(const tables_t *net) { return net->arena; }
tinyflow_status tables_run(tables_t *net)
{
    @BODY@
    look_up(0, net->arena, net->arena + 24);
    look_up(1, net->arena + 24, net->arena);
    return TINYFLOW_OK;
}
"""


def tables_graph() -> Graph:
    """Two table look-ups, both results leave: y = table[x], z = table[y]."""
    quant = QuantParams.per_tensor(0.5)
    tensors = {name: Tensor(name, SHAPE, DType.INT8, quant) for name in "xyz"}
    form = TableForm(TABLE)
    nodes = (
        Node("first", Op.CLAMP, ("x",), ("y",), ClampAttrs(), integer=form),
        Node("second", Op.CLAMP, ("y",), ("z",), ClampAttrs(), integer=form),
    )
    return Graph("tables", nodes, tensors, ("x",), ("y", "z"), rounding=Rounding.DOUBLE)


def look_up(x: np.ndarray) -> np.ndarray:
    return TABLE[x.astype(np.int64) + 128]


def random_codes(count: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.integers(-128, 128, (count, *SHAPE[1:])).astype(np.int8)


def write_tables_bundle(path: Path, target: str = "cortex-m4", body: str = "") -> Path:
    """``body`` is C that runs before each inference."""
    graph = tables_graph()
    x = random_codes(3)
    table = ", ".join(str(int(v)) for v in TABLE)
    weights = "#include <stdint.h>\nextern const int8_t tables_table[256];\n"
    weights += f"const int8_t tables_table[256] = {{{table}}};\n"
    manifest = {"schema_version": 1, "model": {"name": "tables"}, "target": {"name": target}}
    files = {
        "kernels/tinyflow.h": KERNELS.encode(),
        "include/tables.h": HEADER.encode(),
        "src/tables.c": SOURCE.replace("@BODY@", body).encode(),
        "src/tables_weights.c": weights.encode(),
        "model.tfq": serialize.to_bytes(graph),
        "manifest.json": json_bytes(manifest),
        "report.json": json_bytes({"schema_version": 1}),
        **app_files("tables", graph, load_target(target)),
        **vector_files(graph, {"x": x}, {"y": look_up(x), "z": look_up(look_up(x))}),
    }
    write_files(path, files)
    return path


def write_graph_bundle(
    path: Path,
    graph: Graph,
    inputs: Arrays,
    target: str = "cortex-m4",
    options: CodegenOptions | None = None,
    goal: Goal = Goal.BALANCED,
    fuse: bool = False,
    plan: Plan | None = None,
) -> Path:
    """A bundle of a quantized graph, made by the real generator with the kernels of ``plan``, or
    else those that the target gets; ``inputs`` are raw codes. With ``fuse``, layers are fused as
    for real models."""
    features = features_of(load_target(target))
    if plan is None and fuse:
        plan = plan_model(graph, features, goal)
    elif plan is None:
        choices = choose_variants(graph, features, goal)
        plan = Plan(choices, make_schedule(graph, demands_of(graph, choices)))
    schedule = plan.schedule
    graph = schedule.graph
    manifest = {"schema_version": 1, "model": {"name": "net"}, "target": {"name": target}}
    files = {
        **generate(schedule, "net", options or CodegenOptions(), choices=plan.choices).files,
        **app_files("net", graph, load_target(target)),
        **vector_files(graph, inputs, run_reference(graph, inputs)),
        "model.tfq": serialize.to_bytes(graph),
        "manifest.json": json_bytes(manifest),
        "report.json": json_bytes({"schema_version": 1}),
    }
    write_files(path, files)
    return path
