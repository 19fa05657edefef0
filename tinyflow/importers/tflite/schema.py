"""The readers of TFLite's schema, from whichever package of them is installed.

`ai-edge-litert` brings them along; `tflite-runtime` does not, and goes with the package `tflite`,
which holds nothing else. Both are made by the same generator.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tinyflow.errors import MissingExtraError

_VECTOR = "AsNumpy"
_HELPERS = (_VECTOR, "Length", "IsNone")
"""What the readers have for a vector besides the access to one entry."""


def find_schema() -> ModuleType:
    """The module with a class for each table and enumeration; raises `MissingExtraError`."""
    try:
        from ai_edge_litert import schema_py_generated

        return schema_py_generated
    except ImportError:
        pass
    try:
        import tflite
    except ImportError:
        raise MissingExtraError("reading .tflite models", "tflite") from None
    return tflite


def read_options(schema: ModuleType, kind: str, table: Any) -> Mapping[str, Any]:
    """The fields of an operator's options, by the schema's names with the first letter small;
    vectors as arrays. Empty for a ``kind`` that the schema does not have."""
    reader_class = getattr(schema, kind, None)
    if reader_class is None or kind == "NONE":
        return {}
    reader = reader_class()
    reader.Init(table.Bytes, table.Pos)
    methods = {name for name, m in vars(reader_class).items() if inspect.isfunction(m)}
    vectors = {name.removesuffix(_VECTOR) for name in methods if name.endswith(_VECTOR)}
    helpers = {vector + helper for vector in vectors for helper in _HELPERS}
    return {
        field[0].lower() + field[1:]: getattr(reader, field + _VECTOR * (field in vectors))()
        for field in sorted(methods - helpers - {"Init"})
    }
