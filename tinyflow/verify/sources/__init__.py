"""Source models in the float runtimes that they were made for, one file a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyflow.errors import UsageError
from tinyflow.importers import SAVED_MODEL, format_of, need_torch
from tinyflow.verify.sources.runtime import SourceRuntime

if TYPE_CHECKING:
    from typing import TypeAlias

    from torch import nn
    from torch.export import ExportedProgram

    SourceModel: TypeAlias = Path | nn.Module | ExportedProgram

Shapes = Mapping[str, tuple[int, ...]]

# Each runtime is a large package, so it is imported when a model asks for it.


def open_source(model: SourceModel, shapes: Shapes | None = None) -> SourceRuntime:
    """The runtime of a model file, of a `torch.nn.Module` with the ``shapes`` of its inputs, or of
    a `torch.export.ExportedProgram`.

    Raises `MissingExtraError` where the runtime is not installed, `UsageError` for a file that no
    runtime runs, and `ModelError` for one that it cannot open.
    """
    if not isinstance(model, Path):
        return _open_torch(model, shapes)
    opener = _OPENERS.get(format_of(model))
    if opener is None:
        raise UsageError(
            f"no runtime runs {model} as it is",
            f"there is one for .{', .'.join(n for n in _OPENERS if n != SAVED_MODEL)} and for "
            "SavedModel folders",
        )
    return opener(model)


def run_source(
    model: SourceModel,
    inputs: Mapping[str, np.ndarray],
    tensors: Sequence[str] = (),
) -> Mapping[str, np.ndarray]:
    """The outputs of a source model for arrays [n, ...] in its own layout, by the names that the
    importer gives them; with them those of ``tensors`` that the runtime knows.

    Raises as `open_source` and `SourceRuntime.run`.
    """
    shapes = {name: (1, *array.shape[1:]) for name, array in inputs.items()}
    return open_source(model, shapes).run(inputs, tensors)


def _open_onnx(path: Path) -> SourceRuntime:
    from tinyflow.verify.sources.onnxruntime import OnnxRuntime

    return OnnxRuntime(path)


def _open_tflite(path: Path) -> SourceRuntime:
    from tinyflow.verify.sources.tflite import TfliteRuntime

    return TfliteRuntime(path)


def _open_torch(
    model: Path | nn.Module | ExportedProgram, shapes: Shapes | None = None
) -> SourceRuntime:
    need_torch()
    from tinyflow.verify.sources.torch import TorchRuntime

    return TorchRuntime(model, shapes)


def _open_keras(path: Path) -> SourceRuntime:
    from tinyflow.verify.sources.keras import KerasRuntime

    return KerasRuntime(path)


_OPENERS: dict[str, Callable[[Path], SourceRuntime]] = {
    "onnx": _open_onnx,
    "pt2": _open_torch,
    "tflite": _open_tflite,
    "keras": _open_keras,
    "h5": _open_keras,
    SAVED_MODEL: _open_keras,
}

__all__ = ["SourceRuntime", "open_source", "run_source"]
