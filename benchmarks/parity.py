"""One quantized model in every runtime, tensor by tensor: the parity ladder of known models.

    python benchmarks/parity.py --mlperf DIR --kws DATA.npz --cifar DIR [--inputs 200] [--only NAME]

``--mlperf`` holds the keyword-spotting and ResNet8 models of MLPerf Tiny, ``--kws`` their features,
``--cifar`` test.npz and train_jpeg.npz. Each case is compiled by `tinyflow compile` for a Cortex-M4
and climbed by `tinyflow verify --ladder` on the first inputs of its data. The verdicts do not vary.
Exit code 1 where two runtimes differ and nothing explains it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.train_hybrids import decode, load_hybrid
from tinyflow.cli.console import table

ROOT = Path(__file__).parent.parent
HYBRIDS = ROOT / "tests" / "data" / "hybrids"
CALIBRATION_PICTURES = 300
DIGITS = ROOT / "tinyflow" / "demo"


def tinynext() -> object:
    """The trained small TinyNeXt, for MODEL."""
    return load_hybrid(HYBRIDS / "tinynext_cifar10.pt")[0]


def edgenext() -> object:
    """The trained small EdgeNeXt, for MODEL."""
    return load_hybrid(HYBRIDS / "edgenext_cifar10.pt")[0]


@dataclass(frozen=True)
class Case:
    """``options`` are those of `tinyflow compile`; ``shape`` goes to both commands."""

    name: str
    model: str
    data: str
    options: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pictures:
    """Files of CIFAR-10's pictures: for calibration and for comparing."""

    train: str
    test: str


def cases(mlperf: Path, kws: Path, last: Pictures, first: Pictures) -> list[Case]:
    """The pictures come with the channels ``last`` or ``first``."""
    test, train = last.test, last.train
    pixels = ("--calibration", train, "--input-range", "input_1=0:255")
    return [
        Case("kws, int8 file", str(mlperf / "kws_ref_model.tflite"), str(kws)),
        Case("resnet8, int8 file", str(mlperf / "pretrainedResnet_quant.tflite"), test),
        Case("resnet8", str(mlperf / "pretrainedResnet.tflite"), test, pixels),
        Case(
            "digits",
            str(DIGITS / "digits.onnx"),
            str(DIGITS / "digits_test.npz"),
            ("--calibration", str(DIGITS / "digits_calibration.npz")),
        ),
        *(_hybrid(name, first) for name in ("tinynext", "edgenext")),
    ]


def _hybrid(name: str, pictures: Pictures) -> Case:
    facts = json.loads((HYBRIDS / f"{name}_cifar10.json").read_text())
    side = facts["resolution"]
    return Case(
        name,
        f"benchmarks.parity:{name}",
        pictures.test,
        (
            *("--calibration", pictures.train),
            *("--mean", str(facts["x_zero_point"]), "--std", str(1 / facts["x_scale"])),
        ),
        ("--shape", f"x=1x3x{side}x{side}"),
    )


def tinyflow(*arguments: str) -> str:
    """What the command printed; its messages go on to the terminal."""
    command = [sys.executable, "-m", "tinyflow", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{' '.join(command)} failed")
    return done.stdout


def climb(case: Case, inputs: int, folder: Path) -> list[dict[str, object]]:
    output = str(folder / "bundle")
    tinyflow(
        *("compile", case.model, "--target", "cortex-m4", "--no-run", "-o", output),
        *case.options,
        *case.shape,
    )
    arguments = ["verify", output, "--ladder", "--data", case.data, "--inputs", str(inputs)]
    return list(json.loads(tinyflow(*arguments, "--model", case.model, *case.shape)))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mlperf", type=Path, required=True)
    parser.add_argument("--kws", type=Path, required=True)
    parser.add_argument("--cifar", type=Path, required=True)
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--only", help="the case with this name")
    return parser.parse_args()


def write_pictures(cifar: Path, inputs: int, folder: Path) -> tuple[Pictures, Pictures]:
    """uint8 [n, 32, 32, 3], and uint8 [n, 3, 32, 32]."""
    train = decode(cifar / "train_jpeg.npz")[0][:CALIBRATION_PICTURES]
    test = decode(cifar / "test.npz")[0][:inputs]
    found = []
    for name, axes in (("last", (0, 2, 3, 1)), ("first", (0, 1, 2, 3))):
        files = [folder / f"{part}_{name}.npz" for part in ("train", "test")]
        for file, pixels in zip(files, (train, test), strict=True):
            np.savez(file, x=pixels.permute(axes).numpy())
        found.append(Pictures(*map(str, files)))
    return found[0], found[1]


def main() -> int:
    given = parse()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        pictures = write_pictures(given.cifar, given.inputs, Path(folder))
        for case in cases(given.mlperf.resolve(), given.kws.resolve(), *pictures):
            if given.only in (None, case.name):
                failed |= report(case, given.inputs, Path(folder))
    return int(failed)


def report(case: Case, inputs: int, folder: Path) -> bool:
    """Prints the ladder; whether it broke."""
    start = time.perf_counter()
    rungs = climb(case, inputs, folder)
    keys = ("rung", "against", "outcome", "tensors_compared", "inputs", "summary")
    rows = [tuple(str(rung[key]) for key in keys) for rung in rungs]
    print(f"\n{case.name} ({time.perf_counter() - start:.0f} s)")
    print(table(("runtime", "against", "verdict", "tensors", "inputs", ""), rows), flush=True)
    return any(rung["outcome"] == "differs" for rung in rungs)


if __name__ == "__main__":
    sys.exit(main())
