"""Models that are PyTorch modules: of the catalogue, of a factory, or given by the caller."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import GraphModule

from tinyflow.data import Preprocess
from tinyflow.errors import ModelError, UsageError
from tinyflow.importers.torch import import_module, import_program
from tinyflow.ir import Graph
from tinyflow.models import build_model, model_spec, randomize
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions

RANDOM_SEED = 0
"""Of the weights of a catalogue's model that comes without any."""

Shapes = Mapping[str, tuple[int, ...]]


def catalogue_model(options: CompileOptions, progress: Progress) -> tuple[Graph, Preprocess]:
    """A model of `tinyflow models`, and how it wants its pictures, as uint8 pixels."""
    spec = model_spec(options.model)
    module = catalogue_module(options, progress)
    graph = import_module(module, (torch.zeros(catalogue_shape(options)),), spec.name)
    mean, std = (
        tuple(255 * v for v in part) for part in (spec.preprocessing.mean, spec.preprocessing.std)
    )
    return graph, Preprocess(mean, std)


def catalogue_shape(options: CompileOptions) -> tuple[int, ...]:
    """Of the one input of a model of `tinyflow models`."""
    resolution = options.resolution or model_spec(options.model).resolution
    return (1, 3, resolution, resolution)


def catalogue_module(options: CompileOptions, progress: Progress) -> nn.Module:
    """A model of `tinyflow models` with --weights, or random ones that serve to measure size and
    speed."""
    spec = model_spec(options.model)
    progress.stage(f"Building {spec.name}")
    side = catalogue_shape(options)[-1]
    model = build_model(spec.name, options.num_classes or spec.classes, side)
    if options.weights is not None:
        from tinyflow.models.checkpoints import load_checkpoint

        load_checkpoint(model, options.weights)
    else:
        progress.note("no --weights were given, they are random: accuracy will mean nothing")
        randomize(model, RANDOM_SEED)
    return model.eval()


def factory_model(options: CompileOptions, progress: Progress) -> Graph:
    """The graph of what ``package.module:factory`` returns."""
    made = factory_object(options, progress)
    return object_graph(made, options.shapes, options.model.partition(":")[2])


def factory_object(options: CompileOptions, progress: Progress) -> nn.Module | ExportedProgram:
    """What ``package.module:factory`` returns, with --weights where they are given."""
    progress.stage(f"Building {options.model}")
    module_name, _, name = options.model.partition(":")
    with _current_folder():
        made = _made(module_name, name)
    if isinstance(made, nn.Module):
        made = _for_inference(made)
        if options.weights is not None:
            _load_weights(made, Path(options.weights))
    elif not isinstance(made, ExportedProgram):
        raise ModelError(
            f"{options.model} gives an object of type {type(made).__name__}, which is no PyTorch "
            "module",
            "name a function without arguments that returns a torch.nn.Module",
        )
    return made


def object_graph(model: nn.Module | ExportedProgram, shapes: Shapes, name: str) -> Graph:
    """The graph of a module, whose inputs have ``shapes``, or of an exported program."""
    if isinstance(model, ExportedProgram):
        return import_program(model, name, shapes)
    if not isinstance(model, nn.Module):
        raise UsageError(
            f"an object of type {type(model).__name__} is no model",
            "give a path, a torch.nn.Module or a torch.export.ExportedProgram",
        )
    if model.training and not isinstance(model, GraphModule):
        raise ModelError(f"{name} is in training mode", "call model.eval() before")
    return import_module(model, _examples(model, shapes, name), name)


def _for_inference(module: nn.Module) -> nn.Module:
    """In evaluation mode; what was traced, as PT2E's modules are, has its mode in its operations,
    and those of training are refused by name."""
    return module if isinstance(module, GraphModule) else module.eval()


def _examples(model: nn.Module, shapes: Shapes, name: str) -> tuple[torch.Tensor, ...]:
    """Inputs of the given shapes, in the order of the module's arguments."""
    parameters = inspect.signature(model.forward).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    example = " ".join(f"--shape {n}=1x3x224x224" for n in needed)
    unknown = [n for n in shapes if n not in {p.name for p in parameters}]
    if unknown:
        raise UsageError(f"{name} has no input '{unknown[0]}'", f"its inputs are {needed}")
    missing = [n for n in needed if n not in shapes]
    if missing or not shapes:
        raise UsageError(
            f"the shape of the input '{missing[0] if missing else ''}' of {name} is not known",
            f"fix the shapes of all inputs, as in {example}",
        )
    ordered = [p.name for p in parameters if p.name in shapes]
    return tuple(torch.zeros(shapes[n]) for n in ordered)


def _made(module_name: str, name: str) -> object:
    try:
        found: object = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise UsageError(f"there is no module '{error.name}'", "check MODEL") from None
    except AttributeError as error:
        raise UsageError(f"{module_name} has no '{name}' ({error})", "check MODEL") from None
    if isinstance(found, nn.Module | ExportedProgram):
        return found
    if not callable(found):
        raise UsageError(f"{module_name}:{name} is no function", "name one that returns a module")
    try:
        return found()
    # The user's own code.
    except Exception as error:
        raise ModelError(
            f"{module_name}:{name}() failed: {type(error).__name__}: {error}",
            "the factory is called without arguments",
        ) from error


def _load_weights(module: nn.Module, path: Path) -> None:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict(state)
    # Torch raises errors of every kind for a file that does not fit.
    except Exception as error:
        raise ModelError(
            f"{path} does not hold the weights of {type(module).__name__} ({error})",
            "write the file with torch.save(model.state_dict(), path)",
        ) from None


@contextmanager
def _current_folder() -> Iterator[None]:
    """Modules of the folder in which the command runs can be named."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path.pop(0)
