"""ONNX, float, opset 7 to 28: read, simplify, translate layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tinyflow.errors import ModelError
from tinyflow.importers.onnx.convert import convert
from tinyflow.importers.onnx.model_file import read_model
from tinyflow.importers.onnx.simplify import simplify
from tinyflow.ir import Graph

__all__ = ["load"]


def load(path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Graph:
    """The float graph of an ONNX file; ``shapes`` fixes the shapes of inputs by their names.

    Inputs and outputs keep the source's axis order. Raises `UnsupportedError` with every layer
    that cannot be translated, `ModelError` for a file that is not sound, and `UsageError` for a
    shape that does not fit.
    """
    try:
        return convert(simplify(read_model(path, dict(shapes or {}))), path.stem)
    except UnicodeDecodeError as error:
        # Strings in the file are decoded when they are first looked at, which can be anywhere.
        raise ModelError(f"{path} holds names that are not text ({error})") from None
