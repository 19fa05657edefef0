"""Accuracy of the trained hybrids in int8: small TinyNeXt and EdgeNeXt on CIFAR-10.

    python benchmarks/hybrids.py --pictures TRAIN.npz --test TEST.npz [CHECKPOINT ...] [options]

CHECKPOINT is a .pt file that `benchmarks/train_hybrids.py` wrote, by default those of
``tests/data/hybrids``; TRAIN.npz and TEST.npz are what that script takes. The network goes through
ONNX, is quantized on the first 300 training pictures and measured on all test pictures. Figures
vary as `benchmarks/accuracy.py` says: int8 within 1 percentage point of float and an agreement of
97% are the goal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.accuracy import as_table, load_float_graph, measure
from benchmarks.train_hybrids import decode, load_hybrid
from tinyflow.data import Dataset, input_specs
from tinyflow.ir import Graph
from tinyflow.quantize import QuantizeOptions, RangeMethod, quantize_and_record

HYBRIDS = Path(__file__).parent.parent / "tests" / "data" / "hybrids"
CALIBRATION_PICTURES = 300
OPSET = 18


def export(model: torch.nn.Module, resolution: int, legacy: bool) -> Graph:
    """The canonical graph of the network by way of an ONNX file."""
    example = torch.zeros(1, 3, resolution, resolution)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hybrid.onnx"
        torch.onnx.export(
            model, (example,), file, dynamo=not legacy, opset_version=OPSET, verbose=False
        )
        return load_float_graph(file)


def dataset(graph: Graph, place: Path, rows: slice, facts: dict[str, Any]) -> Dataset:
    pixels, labels = decode(place)
    x = (pixels[rows].numpy().astype(np.float32) - facts["x_zero_point"]) * facts["x_scale"]
    (spec,) = input_specs(graph)
    return Dataset({spec.name: spec.to_stored(x)}, labels[rows].numpy(), place.name)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", nargs="*", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--first", type=int, help="measure on the first N test pictures only")
    parser.add_argument("--ranges", choices=[m.value for m in RangeMethod], default="auto")
    parser.add_argument("--legacy", action="store_true", help="PyTorch's older exporter")
    return parser.parse_args()


def main() -> int:
    given = parse()
    for place in given.checkpoints or sorted(HYBRIDS.glob("*.pt")):
        model, facts = load_hybrid(place)
        graph = export(model, facts["resolution"], given.legacy)
        calibration = dataset(graph, given.pictures, slice(CALIBRATION_PICTURES), facts)
        start = time.perf_counter()
        options = QuantizeOptions(ranges=RangeMethod(given.ranges))
        done = quantize_and_record(graph, calibration.inputs, options)
        seconds = time.perf_counter() - start
        row = measure(
            graph, done.graph, dataset(graph, given.test, slice(given.first), facts), place.stem
        )
        print(as_table([row], done, seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
