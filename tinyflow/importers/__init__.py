"""Model files become graphs: one package a format, chosen by the file's suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tinyflow.errors import MissingExtraError, ModelError, UsageError

if TYPE_CHECKING:
    from tinyflow.ir.graph import Graph

Shapes = Mapping[str, tuple[int, ...]]
"""Input shapes that the user fixed, by the input's name."""


def load_model(path: Path, shapes: Shapes | None = None) -> Graph:
    """Reads a model file.

    ``shapes`` fixes the shapes of inputs that the file leaves open. Raises `UsageError` for a
    suffix or an input that does not exist, `UnsupportedError` with every layer that cannot be
    compiled, and `ModelError` for a file that is not a sound model.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path} has the suffix '{path.suffix}', which names no model format",
            f"TinyFlow reads {', '.join(_READERS)}; 'tinyflow models' lists models by name, and "
            "package.module:function names a function that returns a PyTorch module",
        )
    if not path.exists():
        raise ModelError(f"there is no model file {path}", "check the path")
    if not path.is_file():
        raise ModelError(f"{path} is not a file", "give the model file itself")
    return reader(path, shapes)


# Each reader brings in a library of its own, so it is imported when a file asks for it.


def _load_onnx(path: Path, shapes: Shapes | None) -> Graph:
    from tinyflow.importers.onnx import load

    return load(path, shapes)


def _load_tflite(path: Path, shapes: Shapes | None) -> Graph:
    from tinyflow.importers.tflite import load

    return load(path, shapes)


def _load_torch(path: Path, shapes: Shapes | None) -> Graph:
    need_torch()
    from tinyflow.importers.torch import load

    return load(path, shapes)


def need_torch() -> None:
    """Raises `MissingExtraError` where PyTorch is not installed."""
    if find_spec("torch") is None:
        raise MissingExtraError("reading a PyTorch model", "torch")


def _load_tfq(path: Path, shapes: Shapes | None) -> Graph:
    from tinyflow.ir.serialize import load

    if shapes:
        raise UsageError(
            f"the shapes of {path} are fixed, since it is quantized already",
            "leave --shape out, or quantize the source model again",
        )
    return load(path)


_READERS: dict[str, Callable[[Path, Shapes | None], Graph]] = {
    ".onnx": _load_onnx,
    ".pt2": _load_torch,
    ".tflite": _load_tflite,
    ".tfq": _load_tfq,
}

SUFFIXES = tuple(_READERS)
"""Of model files, with their dots, in lower case."""
