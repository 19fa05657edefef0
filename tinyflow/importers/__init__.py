"""Model files become graphs: one package a format, chosen by what the path is."""

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
    """Reads a model file, or a SavedModel folder.

    ``shapes`` fixes the shapes of inputs that the file leaves open. Raises `UsageError` for a
    suffix or an input that does not exist, `UnsupportedError` with every layer that cannot be
    compiled, and `ModelError` for a file that is not a sound model.
    """
    name = format_of(path)
    if name not in _READERS:
        raise UsageError(
            f"{path} has the suffix '{path.suffix}', which names no model format",
            f"TinyFlow reads {', '.join(SUFFIXES)} and SavedModel folders; 'tinyflow models' lists "
            "models by name, and package.module:function names a function that returns a PyTorch "
            "module",
        )
    if not path.exists():
        raise ModelError(f"there is no model file {path}", "check the path")
    if name != SAVED_MODEL and not path.is_file():
        raise ModelError(f"{path} is not a file", "give the model file itself")
    return _READERS[name](path, shapes)


def format_of(path: Path) -> str:
    """The suffix without its dot, in lower case; `SAVED_MODEL` for a folder of that kind."""
    if (path / "saved_model.pb").is_file():
        return SAVED_MODEL
    return path.suffix.lower().removeprefix(".")


def model_files(path: Path) -> tuple[Path, ...]:
    """All files that a model consists of, in a fixed order."""
    if format_of(path) != SAVED_MODEL:
        return (path,)
    return tuple(sorted(file for file in path.rglob("*") if file.is_file()))


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


def _load_keras(path: Path, shapes: Shapes | None) -> Graph:
    from tinyflow.importers.keras import load

    return load(path, shapes)


def _load_tfq(path: Path, shapes: Shapes | None) -> Graph:
    from tinyflow.ir.serialize import load

    if shapes:
        raise UsageError(
            f"the shapes of {path} are fixed, since it is quantized already",
            "leave --shape out, or quantize the source model again",
        )
    return load(path)


SAVED_MODEL = "savedmodel"
"""The format of the folders that TensorFlow writes; all others are suffixes without their dots."""

_READERS: dict[str, Callable[[Path, Shapes | None], Graph]] = {
    "onnx": _load_onnx,
    "pt2": _load_torch,
    "tflite": _load_tflite,
    "keras": _load_keras,
    "h5": _load_keras,
    SAVED_MODEL: _load_keras,
    "tfq": _load_tfq,
}

SUFFIXES = tuple(f".{name}" for name in _READERS if name != SAVED_MODEL)
"""Of model files, with their dots, in lower case."""
