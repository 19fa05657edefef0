"""The .tfq file: a graph as a zip of graph.json (structure) and arrays.npz (constants).

The bytes depend on the graph alone: entries carry no dates and are stored in a fixed order.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import types
import typing
import zipfile
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from tinyflow.errors import ModelError
from tinyflow.ir import integer
from tinyflow.ir.dtype import DType
from tinyflow.ir.graph import Graph
from tinyflow.ir.integer import Rounding
from tinyflow.ir.node import Node, Op
from tinyflow.ir.ops import OPS
from tinyflow.ir.quant_params import QuantParams
from tinyflow.ir.tensor import Tensor

FORMAT_VERSION = 1
_FORMS = {
    cls.__name__: cls
    for cls in vars(integer).values()
    if isinstance(cls, type) and issubclass(cls, integer.IntegerForm)
}


def to_bytes(graph: Graph) -> bytes:
    arrays: dict[str, np.ndarray] = {}
    document = {
        "format_version": FORMAT_VERSION,
        "name": graph.name,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "layouts": {name: list(perm) for name, perm in sorted(graph.layouts.items())},
        "rounding": graph.rounding.value if graph.rounding else None,
        "tensors": [_encode_tensor(t, arrays) for _, t in sorted(graph.tensors.items())],
        "nodes": [_encode_node(node, arrays) for node in graph.nodes],
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    return _zip([("graph.json", text.encode()), ("arrays.npz", npz_bytes(arrays))])


def from_bytes(data: bytes, origin: str) -> Graph:
    """Reads a graph back; ``origin`` names the file in errors."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            document = json.loads(archive.read("graph.json"))
            with np.load(io.BytesIO(archive.read("arrays.npz")), allow_pickle=False) as stored:
                arrays = dict(stored)
        if document["format_version"] != FORMAT_VERSION:
            raise ModelError(
                f"{origin} has .tfq format {document['format_version']}, "
                f"this TinyFlow reads format {FORMAT_VERSION}",
                "quantize the model again with this version",
            )
        return Graph(
            name=document["name"],
            nodes=tuple(_decode_node(n, arrays) for n in document["nodes"]),
            tensors={t["name"]: _decode_tensor(t, arrays) for t in document["tensors"]},
            inputs=tuple(document["inputs"]),
            outputs=tuple(document["outputs"]),
            layouts={name: tuple(perm) for name, perm in document["layouts"].items()},
            rounding=Rounding(document["rounding"]) if document["rounding"] else None,
        )
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, EOFError) as error:
        raise ModelError(f"{origin} is not a sound .tfq file ({error})") from None


def save(graph: Graph, path: Path) -> None:
    path.write_bytes(to_bytes(graph))


def load(path: Path) -> Graph:
    return from_bytes(path.read_bytes(), str(path))


def _encode_tensor(tensor: Tensor, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.value,
    }
    if tensor.quant is not None:
        entry["quant"] = _encode(tensor.quant, arrays)
    if tensor.data is not None:
        entry["data"] = _store(tensor.data, arrays)
    return entry


def _decode_tensor(entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> Tensor:
    quant = _decode(QuantParams, entry["quant"], arrays) if "quant" in entry else None
    data = arrays[entry["data"]] if "data" in entry else None
    return Tensor(entry["name"], tuple(entry["shape"]), DType(entry["dtype"]), quant, data)


def _encode_node(node: Node, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": node.name,
        "op": node.op.value,
        "inputs": list(node.inputs),
        "outputs": list(node.outputs),
        "attrs": _encode(node.attrs, arrays),
        "sources": list(node.sources),
    }
    if node.integer is not None:
        form = _encode(node.integer, arrays)
        entry["integer"] = {"form": type(node.integer).__name__, **form}
    return entry


def _decode_node(entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> Node:
    op = Op(entry["op"])
    form = None
    if "integer" in entry:
        values = dict(entry["integer"])
        form = _decode(_FORMS[values.pop("form")], values, arrays)
    return Node(
        name=entry["name"],
        op=op,
        inputs=tuple(entry["inputs"]),
        outputs=tuple(entry["outputs"]),
        attrs=_decode(OPS[op].attrs, entry["attrs"], arrays),
        sources=tuple(entry["sources"]),
        integer=form,
    )


def _store(array: np.ndarray, arrays: dict[str, np.ndarray]) -> str:
    key = f"a{len(arrays):04d}"
    arrays[key] = array
    return key


def _encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _encode(getattr(value, f.name), arrays) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _store(value, arrays)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_encode(v, arrays) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def _decode(kind: Any, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Rebuilds a value of the annotated type ``kind``."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        if value is None:
            return None
        (kind,) = (k for k in typing.get_args(kind) if k is not type(None))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{key: _decode(hints[key], v, arrays) for key, v in value.items()})
    if kind is np.ndarray or typing.get_origin(kind) is np.ndarray:
        return arrays[value]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if typing.get_origin(kind) is tuple:
        items = typing.get_args(kind)
        if len(items) == 2 and items[1] is Ellipsis:
            return tuple(_decode(items[0], v, arrays) for v in value)
        return tuple(_decode(k, v, arrays) for k, v in zip(items, value, strict=True))
    return float(value) if kind is float else value


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An .npz file; equal arrays give equal bytes."""
    members = []
    for key, array in arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(array).reshape(array.shape))
        members.append((f"{key}.npy", buffer.getvalue()))
    return _zip(members)


def _zip(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()
