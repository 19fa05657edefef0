"""Accuracy of a float model after quantization, measured with the integer reference.

    python benchmarks/accuracy.py MODEL --calibration DATA --data DATA [DATA ...] [options]

DATA is what the command line of TinyFlow takes, such as ``samples.npz[:100]``, or an .npz file
with ``jpeg``, ``offsets`` and ``y``: picture i is ``jpeg[offsets[i]:offsets[i + 1]]``. Several
DATA give several rows, for instance all samples and those not used for calibration.
Prints, per row: top-1 in float and in int8, how often both agree, and the logits' SQNR.

The figures are the same in every run. On another choice of n pictures they vary: agreement by
about sqrt(a (100 - a) / n) percentage points, which is 0.14 at 98% of 10000; top-1 by 0.43 at
75% of 10000. A change of agreement or SQNR on the same data counts from 0.2 points or 0.5 dB on.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyflow.data import DataOptions, Dataset, InputSpec, input_specs, load_data
from tinyflow.data.load import split_rows
from tinyflow.errors import TinyflowError
from tinyflow.importers import load_model
from tinyflow.ir import Graph, Rounding, execute_batched
from tinyflow.passes import run_passes
from tinyflow.quantize import (
    Quantized,
    QuantizeOptions,
    RangeMethod,
    compare_layers,
    quantize_and_record,
    run_reference_batched,
)
from tinyflow.quantize.metrics import (
    Proportion,
    agreement,
    dequantize_outputs,
    logit_tensors,
    quantize_inputs,
    top1,
)

SQNR_SAMPLES = 500


@dataclass(frozen=True)
class Row:
    """Figures of one data set, in percent; top-1 needs labels."""

    data: str
    float_top1: Proportion | None
    int8_top1: Proportion | None
    agreement: Proportion
    logit_sqnr_db: float


def load_float_graph(model: Path) -> Graph:
    return run_passes(load_model(model))


def load(argument: str, specs: Sequence[InputSpec], options: DataOptions) -> Dataset:
    """As `tinyflow.data.load_data`, and files of JPEG pictures in one blob."""
    place, rows = split_rows(argument)
    if Path(place).suffix == ".npz":
        with np.load(place) as stored:
            if "jpeg" in stored:
                pixels, labels = _decode(stored, rows)
                inputs = {specs[0].name: specs[0].to_stored(pixels.astype(np.float32))}
                return Dataset(inputs, labels, Path(place).name)
    return load_data(argument, specs, options)


def _decode(stored: Mapping[str, np.ndarray], rows: slice) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    blob, offsets, labels = stored["jpeg"].tobytes(), stored["offsets"], stored["y"]
    pictures = [
        np.asarray(Image.open(io.BytesIO(blob[offsets[i] : offsets[i + 1]])).convert("RGB"))
        for i in range(len(labels))[rows]
    ]
    return np.stack(pictures), labels[rows]


def input_scale_of(model: Path) -> DataOptions:
    """Takes integer data to be codes of the input of this quantized model."""
    graph = load_model(model)
    params = graph.tensors[graph.inputs[0]].params
    return DataOptions(x_scale=params.scale, x_zero_point=params.zero_point)


def measure(graph: Graph, quantized: Graph, data: Dataset, name: str) -> Row:
    """Float against int8 on one data set; scores are those of the first output."""
    output = graph.outputs[0]
    expected = execute_batched(graph, data.inputs)[output]
    codes = run_reference_batched(quantized, quantize_inputs(quantized, data.inputs))
    actual = dequantize_outputs(quantized, codes)[output]
    errors = compare_layers(graph, quantized, data.head(SQNR_SAMPLES).inputs)
    logits = [e.sqnr_db for e in errors if e.tensor in logit_tensors(graph)]
    labels = data.labels
    return Row(
        data=name,
        float_top1=None if labels is None else top1(expected, labels),
        int8_top1=None if labels is None else top1(actual, labels),
        agreement=agreement(expected, actual),
        logit_sqnr_db=min(logits, default=math.nan),
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--calibration", required=True, metavar="DATA")
    parser.add_argument("--data", required=True, nargs="+", metavar="DATA")
    parser.add_argument(
        "--scale-of",
        type=Path,
        metavar="INT8_MODEL",
        help="integer data are codes of this model's input",
    )
    parser.add_argument("--input-range", type=float, nargs=2, metavar=("LO", "HI"))
    parser.add_argument("--ranges", choices=[m.value for m in RangeMethod], default="auto")
    parser.add_argument("--percentile", type=float, default=QuantizeOptions.percentile)
    parser.add_argument("--no-bias-correction", action="store_true")
    parser.add_argument("--rounding", choices=[r.value for r in Rounding], default="double")
    parser.add_argument("--seed", type=int, default=QuantizeOptions.seed)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def options_of(arguments: argparse.Namespace, graph: Graph) -> QuantizeOptions:
    known = tuple(arguments.input_range) if arguments.input_range else None
    return QuantizeOptions(
        ranges=RangeMethod(arguments.ranges),
        percentile=arguments.percentile,
        bias_correction=not arguments.no_bias_correction,
        rounding=Rounding(arguments.rounding),
        input_ranges=dict.fromkeys(graph.inputs, known) if known else {},
        seed=arguments.seed,
    )


def as_json(rows: Sequence[Row], done: Quantized, seconds: float) -> dict[str, Any]:
    def encode(value: Proportion | None) -> dict[str, Any] | None:
        if value is None:
            return None
        return {**dataclasses.asdict(value), "percent": value.percent, "ci95": value.ci95}

    return {
        "quantization_seconds": round(seconds, 2),
        "range_method": done.method.value,
        "bias_corrected": done.bias_corrected,
        "held_out_logit_sqnr_db": done.logit_sqnr_db,
        "rows": [
            {
                "data": row.data,
                "float_top1": encode(row.float_top1),
                "int8_top1": encode(row.int8_top1),
                "agreement": encode(row.agreement),
                "logit_sqnr_db": row.logit_sqnr_db,
            }
            for row in rows
        ],
    }


def as_table(rows: Sequence[Row], done: Quantized, seconds: float) -> str:
    def show(value: Proportion | None) -> str:
        if value is None:
            return "-"
        return f"{value.percent:.2f} [{value.ci95[0]:.1f}, {value.ci95[1]:.1f}]"

    table = [("data", "n", "float top-1", "int8 top-1", "agreement", "logit SQNR")]
    for row in rows:
        figures = (show(row.float_top1), show(row.int8_top1), show(row.agreement))
        count = str(row.agreement.total)
        table.append((row.data, count, *figures, f"{row.logit_sqnr_db:.2f} dB"))
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = ["  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)) for line in table]
    corrected = "kept" if done.bias_corrected else "not kept"
    lines.append(
        f"ranges: {done.method.value}, bias correction: {corrected}, held-out logit SQNR "
        f"{done.logit_sqnr_db:.2f} dB, quantized in {seconds:.1f} s"
    )
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    given = parse(arguments)
    try:
        graph = load_float_graph(given.model)
        meaning = input_scale_of(given.scale_of) if given.scale_of else DataOptions()
        specs = input_specs(graph)
        calibration = load(given.calibration, specs, meaning)
        start = time.perf_counter()
        done = quantize_and_record(graph, calibration.inputs, options_of(given, graph))
        seconds = time.perf_counter() - start
        rows = [
            measure(graph, done.graph, load(place, specs, meaning), Path(place).name)
            for place in given.data
        ]
    except TinyflowError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    if given.json:
        print(json.dumps(as_json(rows, done, seconds), indent=1))
    else:
        print(as_table(rows, done, seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
