"""Compiles the C of many small models into one program for this computer, and runs it.

Every model gets an arena of exactly its size, filled with noise before each run, so that the
address sanitizer sees what leaves it and stale bytes show in the results.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyflow.codegen.c import Choices, CSources, LayerInfo, generate
from tinyflow.codegen.schedule import Schedule
from tinyflow.ir import Graph, Op, Tensor

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

_UNIT = """#include <stdio.h>
#include <string.h>
#define tinyflow_tap {name}_tap
#define tinyflow_tap_row_bytes {name}_row_bytes
#include "src/{name}.c"
{weights}
static int8_t arena[{upper}_ARENA_SIZE] __attribute__((aligned(16)));
static FILE *taps;

void {name}_tap(int32_t layer, int32_t y0, int32_t y1, const void *rows)
{{
    const int32_t header[3] = {{layer, y0, y1}};
    fwrite(header, sizeof header, 1, taps);
    fwrite(rows, {name}_row_bytes[layer], (size_t)(y1 - y0), taps);
}}

int {name}_test(FILE *in, FILE *out, int count);
int {name}_test(FILE *in, FILE *out, int count)
{{
    {name}_t net;
    taps = out;
    if ({name}_init(&net, arena, sizeof arena) != TINYFLOW_OK) {{
        return 1;
    }}
    for (int i = 0; i < count; ++i) {{
        memset(arena, 0xA5 + i, sizeof arena);
{reads}
        if ({name}_run(&net) != TINYFLOW_OK) {{
            return 1;
        }}
{writes}
    }}
    return 0;
}}
"""

_MAIN = """#include <stdio.h>
{declarations}
int main(int argc, char **argv)
{{
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
    int failed = in == NULL || out == NULL;
{calls}
    return failed || fclose(out) != 0 || fclose(in) != 0;
}}
"""


@dataclass(frozen=True, eq=False)
class Job:
    """A scheduled graph and the input codes to run it on, [n, ...] each. ``choices`` are the
    kernels for which it was scheduled, if not the portable ones."""

    schedule: Schedule
    inputs: Mapping[str, np.ndarray]
    choices: Choices | None = None

    @property
    def graph(self) -> Graph:
        return self.schedule.graph

    @property
    def count(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True, eq=False)
class Result:
    """Codes [n, ...] of the model's outputs, and of every tensor that passed a tap."""

    outputs: dict[str, np.ndarray]
    taps: dict[str, np.ndarray]


def compile_and_run(
    jobs: Sequence[Job], folder: Path, flags: Sequence[str] = ("-O1", *SANITIZE)
) -> list[Result]:
    """Results in the order of the jobs; what a compiler or sanitizer complains of fails the test.

    The generated C must pass without a warning.
    """
    made = [generate(job.schedule, f"m{i}", choices=job.choices) for i, job in enumerate(jobs)]
    units = []
    for i, (job, sources) in enumerate(zip(jobs, made, strict=True)):
        write_sources(sources, folder)
        units.append(_write_unit(job, sources, f"m{i}", folder))
    units.append(_write_main(jobs, folder))
    program = build_program(units, folder, ("-DTINYFLOW_VERIFY", *flags))
    (folder / "in.bin").write_bytes(b"".join(_records(job) for job in jobs))
    call([program, folder / "in.bin", folder / "out.bin"])
    reader = _Reader((folder / "out.bin").read_bytes())
    results = [reader.read(job, sources) for job, sources in zip(jobs, made, strict=True)]
    assert reader.at == len(reader.data), "the program wrote more than its models have tensors"
    return results


def write_sources(sources: CSources, folder: Path) -> None:
    for path, data in sources.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def build_program(units: Sequence[Path], folder: Path, flags: Sequence[str]) -> Path:
    """Compiles C files that may include what `write_sources` wrote, and links them."""
    command = ["gcc", *WARNINGS, *flags, f"-I{folder}"]
    command += [f"-I{folder / name}" for name in ("include", "kernels", "src")]

    def compile_unit(unit: Path) -> Path:
        call([*command, "-c", unit, "-o", unit.with_suffix(".o")])
        return unit.with_suffix(".o")

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_unit, units))
    call(["gcc", *flags, "-o", folder / "program", *objects])
    return folder / "program"


def call(command: Sequence[object]) -> str:
    """Runs a command; returns its stdout, fails with what it printed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def include_weights(sources: CSources, name: str) -> str:
    """The line that brings a model's constants into a unit; empty where it has none."""
    path = f"src/{name}_weights.c"
    return f'#include "{path}"' if path in sources.files else ""


def _write_unit(job: Job, sources: CSources, name: str, folder: Path) -> Path:
    upper = name.upper()
    reads = [
        f"        if (fread({name}_input_{i}(&net), {upper}_INPUT_{i}_BYTES, 1, in) != 1) {{\n"
        "            return 1;\n        }"
        for i in range(len(job.graph.inputs))
    ]
    writes = [
        f"        fwrite({name}_output_{i}(&net), {upper}_OUTPUT_{i}_BYTES, 1, out);"
        for i in range(len(job.graph.outputs))
    ]
    unit = folder / f"unit_{name}.c"
    unit.write_text(
        _UNIT.format(
            name=name,
            upper=upper,
            weights=include_weights(sources, name),
            reads="\n".join(reads),
            writes="\n".join(writes),
        )
    )
    return unit


def _write_main(jobs: Sequence[Job], folder: Path) -> Path:
    names = [f"m{i}_test" for i in range(len(jobs))]
    unit = folder / "main.c"
    unit.write_text(
        _MAIN.format(
            declarations="".join(f"int {name}(FILE *, FILE *, int);\n" for name in names),
            calls="\n".join(
                f"    failed = failed || {name}(in, out, {job.count});"
                for name, job in zip(names, jobs, strict=True)
            ),
        )
    )
    return unit


def _records(job: Job) -> bytes:
    arrays = [np.ascontiguousarray(job.inputs[name]) for name in job.graph.inputs]
    return b"".join(array[i].tobytes() for i in range(job.count) for array in arrays)


class _Reader:
    """Cuts the program's output into tensors."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def read(self, job: Job, sources: CSources) -> Result:
        tapped = {
            layer.step: layer
            for layer in sources.layers
            if layer.function is not None or layer.op is not Op.RESHAPE
        }
        tensors = job.graph.tensors
        taps: dict[str, list[np.ndarray]] = {layer.tensor: [] for layer in tapped.values()}
        outputs: dict[str, list[np.ndarray]] = {name: [] for name in job.graph.outputs}
        for _ in range(job.count):
            for name, data in self._taps(tapped, tensors).items():
                taps[name].append(_array(tensors[name], data))
            for name, arrays in outputs.items():
                arrays.append(_array(tensors[name], self._take(tensors[name].nbytes)))
        return Result(_stack(outputs), _stack(taps))

    def _taps(
        self, layers: Mapping[int, LayerInfo], tensors: Mapping[str, Tensor]
    ) -> dict[str, bytes]:
        """All rows of all tensors, each from as many bands as it was computed in."""
        found = {layer.tensor: b"" for layer in layers.values()}
        missing = sum(tensors[name].nbytes for name in found)
        while missing:
            number, y0, y1 = struct.unpack("3i", self._take(12))
            layer = layers[number]
            done = len(found[layer.tensor]) // layer.row_bytes
            assert y0 == done, f"tap of '{layer.name}' from row {y0}, not {done}"
            data = self._take((y1 - y0) * layer.row_bytes)
            found[layer.tensor] += data
            missing -= len(data)
        for name, data in found.items():
            assert len(data) == tensors[name].nbytes, f"'{name}' has other rows than its tensor"
        return found

    def _take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        assert len(piece) == count, "the program wrote too little"
        self.at += count
        return piece


def _array(tensor: Tensor, data: bytes) -> np.ndarray:
    return np.frombuffer(data, tensor.dtype.numpy).reshape(tensor.shape[1:])


def _stack(parts: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack(arrays) for name, arrays in parts.items()}
