"""Quantized graphs whose kernels are all printed by TVM."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.compiled import WARNINGS, Job, call
from tests.support.paths import ROOT
from tests.support.random_graphs import random_inputs
from tinyflow.ir import Graph, Rounding

pytest.importorskip("tvm")

from tinyflow.codegen.tvm.kernel import Kernel
from tinyflow.codegen.tvm.plan import plan_tvm
from tinyflow.codegen.tvm.printing import print_function


def tensorir_job(graph: Graph, samples: int = 4) -> Job:
    """The graph with TensorIR kernels, on random codes, extreme ones first."""
    plan = plan_tvm(graph)
    return Job(plan.schedule, random_inputs(graph, samples), plan.choices)


def call_kernel(
    kernel: Kernel,
    arrays: Sequence[np.ndarray],
    folder: Path,
    rounding: Rounding = Rounding.DOUBLE,
) -> None:
    """Compiles a kernel by itself, and calls it with one array for each of its arguments."""
    printed = print_function(kernel)
    single = ["#define TINYFLOW_SINGLE_ROUNDING"] if rounding is Rounding.SINGLE else []
    lines = [
        *single,
        '#include "requantize.h"',
        f"void kernel({', '.join(printed.parameters)});",
        f"void kernel({', '.join(printed.parameters)})",
        "{",
        *printed.body,
        "}",
        "",
    ]
    source, library = folder / "kernel.c", folder / "kernel.so"
    source.write_text("\n".join(lines))
    include = f"-I{ROOT / 'firmware' / 'kernels'}"
    call(["gcc", *WARNINGS, "-O1", "-shared", "-fPIC", include, source, "-o", library])
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    ctypes.CDLL(str(library)).kernel(*pointers)
