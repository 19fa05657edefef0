"""Kernels compute the same bits band by band, from and into rings that hold few rows.

Each one-layer model runs with its input and output in rings as small as its bands allow. The
tap after each band stores the band's rows and refills the input ring with the rows that the
next band reads, as a neighbouring layer would.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.compiled import (
    SANITIZE,
    build_program,
    call,
    include_weights,
    write_sources,
)
from tests.support.random_graphs import random_graph, random_inputs
from tests.support.rows_read import ROWS_READ
from tinyflow.codegen.c import generate
from tinyflow.codegen.schedule import Axis, Placement, Schedule, make_schedule
from tinyflow.ir import Graph, Op, as_nhwc
from tinyflow.quantize import run_reference

_UNIT = """#include <stdio.h>
#include <string.h>
#define tinyflow_tap {name}_tap
#define tinyflow_tap_row_bytes {name}_row_bytes
#include "src/{name}.c"
{weights}
static int8_t arena[{upper}_ARENA_SIZE] __attribute__((aligned(16)));
static FILE *result;
static int32_t band;
{arrays}
static const int32_t needed[] = {{{needed}}};

/* The ring holds the last `ring` of rows 0 .. end - 1, and noise in the rest. */
static void fill(int8_t *rows, const int8_t *source, int32_t stride, int32_t ring, int32_t end)
{{
    memset(rows, 0x5A, (size_t)(stride * ring));
    for (int32_t y = end > ring ? end - ring : 0; y < end; ++y) {{
        memcpy(rows + y % ring * stride, source + y * stride, (size_t)stride);
    }}
}}

static void next_band(void)
{{
    const int32_t end = needed[band++];
    (void)end;
{fills}
}}

void {name}_tap(int32_t layer, int32_t y0, int32_t y1, const void *rows)
{{
    fwrite(rows, {name}_row_bytes[layer], (size_t)(y1 - y0), result);
    next_band();
}}

int {name}_test(FILE *out);
int {name}_test(FILE *out)
{{
    {name}_t net;
    result = out;
    if ({name}_init(&net, arena, sizeof arena) != TINYFLOW_OK) {{
        return 1;
    }}
    memset(arena, 0x77, sizeof arena);
    next_band();
    return {name}_run(&net) != TINYFLOW_OK;
}}
"""

_MAIN = """#include <stdio.h>
{declarations}
int main(int argc, char **argv)
{{
    FILE *out = argc == 2 ? fopen(argv[1], "wb") : NULL;
    return out == NULL{calls} || fclose(out) != 0;
}}
"""


class _Banded:
    """A graph of one layer, scheduled in bands over rings."""

    def __init__(self, graph: Graph, tile: int) -> None:
        self.graph, self.tile = graph, tile
        (self.node,) = graph.nodes
        self.height = as_nhwc(graph.result(self.node).shape)[1]
        in_height = self.in_height = max(
            as_nhwc(graph.tensors[name].shape)[1] for name in graph.inputs
        )
        reads = [
            ROWS_READ[self.node.op](self.node, graph, y, min(y + tile, self.height))
            for y in range(0, self.height, tile)
        ]
        cut = [(min(max(lo, 0), in_height), min(max(hi, 0), in_height)) for lo, hi in reads]
        self.ends = [hi for _, hi in cut]
        # A band in the border alone reads nothing; what others read must not run backward.
        self.ends = np.maximum.accumulate(self.ends).tolist()
        self.ring = max(
            1, *(end - lo for (lo, hi), end in zip(cut, self.ends, strict=True) if hi > lo)
        )

    @property
    def is_partial(self) -> bool:
        """Whether the input ring is smaller than the input."""
        return self.ring < self.in_height

    def schedule(self) -> Schedule:
        whole = make_schedule(self.graph)
        placements, offset = {}, 0
        for name in (*self.graph.inputs, self.node.output):
            _, height, width, channels = as_nhwc(self.graph.tensors[name].shape)
            ring = min(self.tile if name == self.node.output else self.ring, height)
            nbytes = ring * width * channels
            placements[name] = Placement(name, offset, nbytes, ring, 0, 0)
            offset += -(-nbytes // 16) * 16
        step = replace(whole.steps[0], axis=Axis.ROWS, tile=self.tile)
        return replace(whole, steps=(step,), placements=placements, arena_bytes=offset)

    def unit(self, name: str, inputs: dict[str, np.ndarray], folder: Path) -> Path:
        schedule = self.schedule()
        sources = generate(schedule, name)
        write_sources(sources, folder)
        arrays, fills = [], []
        for i, tensor in enumerate(self.graph.inputs):
            codes = ", ".join(map(str, inputs[tensor].view(np.int8).ravel().tolist()))
            arrays.append(f"static const int8_t input_{i}[] = {{{codes}}};")
            place = schedule.placements[tensor]
            _, height, width, channels = as_nhwc(self.graph.tensors[tensor].shape)
            end = "end" if height > 1 else "1"
            fills.append(
                f"    fill(arena + {place.offset}, input_{i}, {width * channels}, "
                f"{place.ring}, {end});"
            )
        unit = folder / f"unit_{name}.c"
        unit.write_text(
            _UNIT.format(
                name=name,
                upper=name.upper(),
                weights=include_weights(sources, name),
                arrays="\n".join(arrays),
                needed=", ".join(map(str, [*self.ends, self.ends[-1]])),
                fills="\n".join(fills),
            )
        )
        return unit


def _graphs(op: Op, count: int) -> list[Graph]:
    """Graphs of a single layer whose result has rows enough to split."""
    found: list[Graph] = []
    for seed in range(2000):
        graph = random_graph(seed, (op,), max_nodes=1)
        if len(graph.nodes) != 1:
            continue
        (node,) = graph.nodes
        attrs: Any = node.attrs
        ranks = {len(graph.tensors[name].shape) for name in (*graph.inputs, node.output)}
        joins_rows = op is Op.CONCAT and attrs.axis == 1
        if as_nhwc(graph.result(node).shape)[1] >= 3 and len(ranks) == 1 and not joins_rows:
            found.append(graph)
        if len(found) == count:
            return found
    raise AssertionError(f"too few graphs of {op}")


@pytest.mark.slow
def test_bands_over_rings_equal_the_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    cases, units, expected = [], [], b""
    # A matrix product needs the whole of its second operand.
    for op in [op for op in ROWS_READ if op is not Op.MATMUL]:
        for graph in _graphs(op, 3):
            height = as_nhwc(graph.result(graph.nodes[0]).shape)[1]
            banded = _Banded(graph, int(rng.integers(1, height)))
            inputs = random_inputs(graph, 5, seed=len(cases))
            inputs = {name: codes[4:] for name, codes in inputs.items()}
            cases.append(banded)
            units.append(banded.unit(f"m{len(units)}", inputs, tmp_path))
            (codes,) = run_reference(graph, inputs).values()
            expected += codes.tobytes()
    assert sum(case.is_partial for case in cases) > len(cases) / 2
    names = [f"m{i}_test" for i in range(len(units))]
    main = tmp_path / "main.c"
    main.write_text(
        _MAIN.format(
            declarations="\n".join(f"int {name}(FILE *);" for name in names),
            calls="".join(f" || {name}(out)" for name in names),
        )
    )
    program = build_program([*units, main], tmp_path, ("-O1", "-DTINYFLOW_VERIFY", *SANITIZE))
    call([program, tmp_path / "out.bin"])
    actual = (tmp_path / "out.bin").read_bytes()
    assert len(actual) == len(expected)
    start = 0
    for case in cases:
        nbytes = case.graph.result(case.node).nbytes
        part = slice(start, start + nbytes)
        assert actual[part] == expected[part], f"tile {case.tile}, ring {case.ring}\n{case.graph}"
        start += nbytes
