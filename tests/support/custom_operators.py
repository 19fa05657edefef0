"""Runs the C of custom operators on this computer, without an interpreter around it."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from flatbuffers import flexbuffers

from tests.support.compiled import WARNINGS
from tinyflow.codegen.tflite.custom.kernel import operator_kernels
from tinyflow.codegen.tflite.custom.operator import BoundNode, custom_operator
from tinyflow.codegen.tflite.project.make import operator_files
from tinyflow.ir import Graph, Node, Rounding

_GLUE = """#include "tinyflow_operator.h"

static int64_t (*find)(const char *name);

int64_t tinyflow_option(const tinyflow_options *options, const char *name)
{
    (void)options;
    return find(name);
}

void run_operator(const tinyflow_operator *called, int64_t (*lookup)(const char *name),
                  void *state, const tinyflow_operands *operands);
void run_operator(const tinyflow_operator *called, int64_t (*lookup)(const char *name),
                  void *state, const tinyflow_operands *operands)
{
    find = lookup;
    called->read_options(state, 0);
    called->run(state, operands);
}

size_t size_of_state(const tinyflow_operator *called);
size_t size_of_state(const tinyflow_operator *called)
{
    return called->state_bytes;
}
"""
_LOOKUP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p)


class CustomOperators:
    """The custom operators of many nodes, compiled into one library."""

    def __init__(self, folder: Path, nodes: Iterable[BoundNode], rounding: Rounding) -> None:
        self.kernels = {kernel.name: kernel for kernel in operator_kernels(nodes)}
        files = operator_files(list(self.kernels.values()), "/* test */", rounding)
        files["src/glue.c"] = _GLUE.encode()
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text)
        sources = [str(path) for path in sorted((folder / "src").glob("*.c"))]
        library = folder / "operators.so"
        includes = [f"-I{folder / name}" for name in ("src", "kernels")]
        subprocess.run(
            ["gcc", *WARNINGS, "-O1", "-shared", "-fPIC", *includes, *sources, "-o", library],
            check=True,
        )
        self.library = ctypes.CDLL(str(library))
        self.most_operands = max(kernel.operands for kernel in self.kernels.values())

    def run(self, graph: Graph, node: Node, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The result [n, ...] of a node, as its operator in the .tflite file says; ``tensors``
        holds its operands [n, ...]."""
        operator = custom_operator(graph, node)
        options = flexbuffers.Loads(operator.options)
        lookup = _LOOKUP(lambda name: options.get(name.decode(), 0))
        called = ctypes.c_char.in_dll(self.library, self.kernels[operator.name].symbol)
        self.library.size_of_state.restype = ctypes.c_size_t
        state = ctypes.create_string_buffer(self.library.size_of_state(ctypes.byref(called)))
        scratch = np.zeros(options.get("scratch", 0) + 16, dtype=np.uint8)
        constants = [np.ascontiguousarray(tensor.value) for tensor in operator.constants]
        result = graph.result(node)
        samples = len(next(iter(tensors.values())))
        found = np.zeros((samples, *result.shape[1:]), dtype=result.dtype.numpy)
        for sample in range(samples):
            arrays = [
                np.ascontiguousarray(
                    tensors[name][sample] if name in tensors else graph.tensors[name].value
                )
                for name in operator.inputs
            ] + constants
            addresses = [array.ctypes.data for array in arrays]
            addresses += [0] * (self.most_operands - len(addresses))
            addresses += [found[sample].ctypes.data, scratch.ctypes.data]
            operands = (ctypes.c_void_p * len(addresses))(*addresses)
            self.library.run_operator(ctypes.byref(called), lookup, state, ctypes.byref(operands))
        return found
