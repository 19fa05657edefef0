"""Arrays as the harness reads and writes them: one record per inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyflow.errors import DataError
from tinyflow.ir import Graph, Tensor


def check_inputs(graph: Graph, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The records, uint8 [n, bytes]. Raises `DataError` where an array does not fit."""
    expected = {name: graph.tensors[name] for name in graph.inputs}
    if set(inputs) != set(expected):
        raise DataError(
            f"inputs were given for {_names(inputs)}, the model has {_names(expected)}",
            "give one array for each input of the model",
        )
    count = len(inputs[graph.inputs[0]])
    if count == 0:
        raise DataError("there are no inputs to run", "give at least one")
    for name, tensor in expected.items():
        array = inputs[name]
        shape = (count, *tensor.shape[1:])
        if array.shape != shape or array.dtype != tensor.dtype.numpy:
            raise DataError(
                f"the input '{name}' is {array.dtype}{list(array.shape)}, "
                f"the model takes {tensor.dtype.value}{list(shape)}",
                "raw inputs are integers in the stored layout, as the manifest gives it",
            )
    columns = [
        np.ascontiguousarray(inputs[name]).reshape(count, -1).view(np.uint8) for name in expected
    ]
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


def split_records(records: np.ndarray, tensors: Sequence[Tensor]) -> dict[str, np.ndarray]:
    """Arrays [n, ...] by tensor from records, uint8 [n, bytes]."""
    arrays = {}
    start = 0
    for tensor in tensors:
        column = np.ascontiguousarray(records[:, start : start + tensor.nbytes])
        arrays[tensor.name] = as_tensor(column, tensor)
        start += tensor.nbytes
    return arrays


def as_tensor(column: np.ndarray, tensor: Tensor) -> np.ndarray:
    """The bytes of n tensors, uint8 [n, bytes], as an array [n, ...]."""
    return column.view(tensor.dtype.numpy).reshape(len(column), *tensor.shape[1:])


def _names(names: Mapping[str, object]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "nothing"
