"""The test vectors of a bundle: NumPy files for people and tools, a C header for the self-test."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from tinyflow.ir import Graph

BYTES_PER_LINE = 16


def vector_files(
    graph: Graph, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]
) -> dict[str, bytes]:
    """test_vectors/ of a bundle, from raw integer arrays [n, ...] in the stored layout."""
    files = {}
    arrays: dict[str, list[np.ndarray]] = {"input": [], "output": []}
    for kind, names, source in (
        ("input", graph.inputs, inputs),
        ("output", graph.outputs, outputs),
    ):
        for index, name in enumerate(names):
            array = np.ascontiguousarray(source[name], dtype=graph.tensors[name].dtype.numpy)
            arrays[kind].append(array)
            files[f"test_vectors/{kind}_{index}.npy"] = _npy(array)
    header = _header(arrays["input"], arrays["output"])
    return {**files, "test_vectors/test_vectors.h": header.encode()}


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0))
    return buffer.getvalue()


def _header(inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]) -> str:
    count = len(inputs[0])
    lines = [
        "/* Inputs and expected outputs of the self-test, as the bytes of little-endian tensors,",
        " * one test vector after the other. The same lie beside this file as NumPy arrays. */",
        "#ifndef TINYFLOW_TEST_VECTORS_H",
        "#define TINYFLOW_TEST_VECTORS_H",
        "",
        "#include <stdint.h>",
        "",
        f"#define TEST_VECTOR_COUNT {count}u",
    ]
    for kind, arrays in (("input", inputs), ("output", outputs)):
        for index, array in enumerate(arrays):
            lines += ["", *_array(f"test_{kind}_{index}", array)]
        names = ", ".join(f"test_{kind}_{index}" for index in range(len(arrays)))
        lines += ["", f"static const uint8_t *const test_{kind}s[] = {{{names}}};"]
    return "\n".join([*lines, "", "#endif", ""])


def _array(name: str, array: np.ndarray) -> list[str]:
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    rows = (data[i : i + BYTES_PER_LINE] for i in range(0, len(data), BYTES_PER_LINE))
    dims = "x".join(map(str, array.shape))
    return [
        f"/* {array.dtype.name}[{dims}] */",
        f"static const uint8_t {name}[] = {{",
        *(f"    {', '.join(f'0x{byte:02x}' for byte in row)}," for row in rows),
        "};",
    ]
