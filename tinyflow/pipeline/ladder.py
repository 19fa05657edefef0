"""The parity ladder of a bundle, with the model that it was made from where that is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyflow.bundle import Bundle
from tinyflow.data import Dataset
from tinyflow.errors import MissingExtraError, UsageError
from tinyflow.models import list_models
from tinyflow.pipeline.model_source import is_factory
from tinyflow.pipeline.source import Source, read_source
from tinyflow.progress import Progress
from tinyflow.project import CompileOptions, make_options
from tinyflow.report import add_ladder
from tinyflow.targets import load_target
from tinyflow.verify.ladder import FloatModel, Ladder, climb
from tinyflow.verify.sources import SourceRuntime, open_source


def climb_ladder(
    bundle: Bundle,
    data: Dataset,
    runner: str | None,
    model: dict[str, Any] | None,
    progress: Progress,
) -> Ladder:
    """Compares every rung on ``data`` and adds the result to the bundle's report.

    ``runner`` comes beside this computer and the emulator. ``model`` has the fields of
    `tinyflow.project.CompileOptions` that name the source model, None where it is not at hand.
    Raises `UsageError` where it is another model than the bundle's.
    """
    source = None
    if model is not None:
        options = make_options({**model, "target": bundle.target}, "verify")
        source = float_model(bundle, options, progress)
    ladder = climb(bundle, data, runners_of(bundle, runner), source, progress)
    add_ladder(bundle.path, ladder.to_json())
    return ladder


def runners_of(bundle: Bundle, runner: str | None) -> tuple[str, ...]:
    """This computer, the emulator where the target has one, and ``runner``; none for a model that
    was only quantized."""
    if bundle.manifest["target"]["backend"] is None:
        return ()
    usual = ("host", "qemu") if load_target(bundle.target).emulated_by else ("host",)
    return tuple(dict.fromkeys((*usual, *([runner] if runner else ()))))


def float_model(bundle: Bundle, options: CompileOptions, progress: Progress) -> FloatModel | None:
    """The model that ``options`` name; None for one that is quantized already."""
    source = read_source(options, progress)
    expected = bundle.manifest["model"]["sha256"]
    if source.sha256 != expected:
        raise UsageError(
            f"'{bundle.path}' was not made from {options.model} as it is given here",
            f"its model has the SHA-256 {expected}; give the same file, weights and shapes",
        )
    if not source.is_float:
        progress.note("the model is quantized already: the ladder begins at the integer reference")
        return None
    try:
        return FloatModel(_runtime(options, source, progress), source.imported, source.canonical)
    except (MissingExtraError, UsageError) as error:
        return FloatModel(None, source.imported, source.canonical, error.message)


def _runtime(options: CompileOptions, source: Source, progress: Progress) -> SourceRuntime:
    """The model in the runtime that it was made for."""
    text = options.model
    shapes = {name: source.imported.tensors[name].shape for name in source.imported.inputs}
    if text in list_models():
        from tinyflow.pipeline.torch_models import catalogue_module

        return open_source(catalogue_module(options, progress), shapes)
    if is_factory(text):
        from tinyflow.pipeline.torch_models import factory_object

        return open_source(factory_object(options, progress), shapes)
    return open_source(Path(text))
