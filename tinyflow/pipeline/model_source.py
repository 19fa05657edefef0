"""What MODEL may be: a file, a name of the catalogue, a factory of a module, or a module itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinyflow.data import Preprocess
from tinyflow.errors import UsageError
from tinyflow.importers import SUFFIXES, format_of, load_model, model_files, need_torch
from tinyflow.ir import Graph
from tinyflow.ir.serialize import to_bytes
from tinyflow.models import list_models
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions

if TYPE_CHECKING:
    from typing import TypeAlias

    from torch import nn
    from torch.export import ExportedProgram

    TorchModel: TypeAlias = nn.Module | ExportedProgram

TORCH = "torch"
"""The format of models that come as Python objects and not as files."""

_ONLY_FOR_NAMES = {
    "num_classes": "--num-classes",
    "resolution": "--resolution",
}


@dataclass(frozen=True, eq=False)
class ImportedModel:
    """A model's graph as its importer made it. ``pixels`` says how pictures become its inputs,
    where that is known."""

    title: str
    format: str
    sha256: str
    graph: Graph
    pixels: Preprocess | None = None


def import_model(
    options: CompileOptions, progress: Progress, model: TorchModel | None = None
) -> ImportedModel:
    """The model that ``options`` name, or ``model`` itself where it is given.

    Raises `UsageError` for what names no model or an option that does not go with it, and whatever
    `tinyflow.importers.load_model` raises.
    """
    if model is not None:
        _refuse(options, (*_ONLY_FOR_NAMES, "weights"), "a model that is given as an object")
        return _from_object(options, model)
    text = options.model
    if text in list_models():
        return _from_catalogue(options, progress)
    _refuse(options, _ONLY_FOR_NAMES, f"the model '{text}'")
    if is_factory(text):
        return _from_factory(options, progress)
    _refuse(options, ("weights",), f"the model file '{text}'")
    return _from_file(options, progress)


def is_factory(text: str) -> bool:
    """Whether MODEL is ``package.module:factory``; a file of that name comes first."""
    module, colon, name = text.partition(":")
    words = [*module.split("."), *name.split(".")]
    return bool(colon) and all(w.isidentifier() for w in words) and not Path(text).exists()


def title_of(text: str) -> str:
    """What a model is called after: the file without its suffix, the folder, the factory, or the
    name."""
    if is_factory(text):
        return text.rpartition(":")[2].rpartition(".")[2]
    return Path(text).stem if Path(text).suffix.lower() in SUFFIXES else Path(text).name


def _refuse(options: CompileOptions, fields: tuple[str, ...] | dict[str, str], what: str) -> None:
    for field in fields:
        if getattr(options, field) is not None:
            flag = _ONLY_FOR_NAMES.get(field, f"--{field}")
            raise UsageError(
                f"{flag} does not go with {what}",
                f"{flag} belongs to the models that 'tinyflow models' lists",
            )


def _from_file(options: CompileOptions, progress: Progress) -> ImportedModel:
    path = Path(options.model)
    progress.stage(f"Reading {path.name}")
    graph = load_model(path, dict(options.shapes) or None)
    return ImportedModel(title_of(options.model), format_of(path), _file_digest(path), graph)


def _file_digest(path: Path) -> str:
    """The SHA-256 of a model's file, or of all its files one after the other."""
    digest = hashlib.sha256()
    for file in model_files(path):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _from_catalogue(options: CompileOptions, progress: Progress) -> ImportedModel:
    need_torch()
    from tinyflow.pipeline.torch_models import catalogue_model

    if options.shapes:
        raise UsageError(
            f"--shape does not go with the model name '{options.model}'",
            "--resolution N makes its input 1x3xNxN",
        )
    graph, pixels = catalogue_model(options, progress)
    return ImportedModel(options.model, TORCH, _digest(graph), graph, pixels)


def _from_factory(options: CompileOptions, progress: Progress) -> ImportedModel:
    need_torch()
    from tinyflow.pipeline.torch_models import factory_model

    graph = factory_model(options, progress)
    return ImportedModel(title_of(options.model), TORCH, _digest(graph), graph)


def _from_object(options: CompileOptions, model: TorchModel) -> ImportedModel:
    need_torch()
    from tinyflow.pipeline.torch_models import object_graph

    graph = object_graph(model, options.shapes, options.model)
    return ImportedModel(options.model, TORCH, _digest(graph), graph)


def _digest(graph: Graph) -> str:
    """Stands for a file's: a model that is a Python object has none."""
    return hashlib.sha256(to_bytes(graph)).hexdigest()
