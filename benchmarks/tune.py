"""Measures kernel variants on the emulator and writes the tuning table that ships with TinyFlow.

    python benchmarks/tune.py [--target T] [-o FILE]

The layers of `tinyflow.tune.shapes` are measured with each variant that can compute them, and a
linear model of each variant is fitted to the figures. Prints how far each model is off on the
shapes that it was fitted to; layers of exactly these shapes get what was measured.

Takes a few minutes. The emulator is deterministic: the same sources and compiler give the same
table, to the last byte, so that any change of it is a change of the kernels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tinyflow.cli.console import Console, table
from tinyflow.errors import TinyflowError
from tinyflow.targets import load_target
from tinyflow.tune.shapes import SHAPES, networks
from tinyflow.tune.tabulate import tabulate, to_text

LAYERS = 8
"""Of one firmware."""

TABLES = Path(__file__).parent.parent / "codegen" / "c" / "variants" / "tuning"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="nucleo-l4r5zi", metavar="T")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    try:
        target = load_target(given.target)
        document = tabulate(networks(SHAPES, LAYERS), target, Console(sys.stdout, sys.stderr))
    except TinyflowError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    rows = [
        [key, str(model["shapes"]), *(f"{value}%" for value in model["error_percent"].values())]
        for key, model in document["models"].items()
    ]
    print(table(["operation and variant", "shapes", "median error", "worst"], rows))
    output = given.output or TABLES / f"{target.core}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(to_text(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
