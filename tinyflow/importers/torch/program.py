"""Programs of torch.export: how they are made and read, and what they need to have."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram

from tinyflow.errors import ModelError, UsageError
from tinyflow.importers.torch.convert import convert
from tinyflow.ir import Graph


def load(path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Graph:
    """The float graph of a file that torch.export.save wrote.

    The shapes of an exported program are fixed, so that ``shapes`` may only repeat them. Raises
    as `import_program`, `ModelError` for a file that is not sound, and `UsageError` for a shape
    that is not the program's.
    """
    return import_program(read_program(path), path.stem, shapes)


def read_program(path: Path) -> ExportedProgram:
    """The program of a file; raises `ModelError`."""
    try:
        with _quietly():
            _know_quantized_operations()
            return torch.export.load(path)
    # Whatever torch finds wrong with the file: nothing but the file goes in.
    except Exception as error:
        raise ModelError(
            f"{path} cannot be read as a program of torch.export ({_first_line(error)})",
            "write it with torch.export.save(torch.export.export(model.eval(), inputs), path); "
            "weights alone (.pt, .pth) are no program",
        ) from None


def import_module(
    module: nn.Module, example_inputs: Sequence[torch.Tensor], name: str = "model"
) -> Graph:
    """The float graph of a module, traced by torch.export with ``example_inputs``.

    The module is traced as it is; it should be in evaluation mode. Raises as `import_program`, and
    `ModelError` for a module that torch.export cannot trace.
    """
    return import_program(export_module(module, example_inputs), name)


def export_module(module: nn.Module, example_inputs: Sequence[torch.Tensor]) -> ExportedProgram:
    """The program of a module; raises `ModelError`."""
    try:
        with _quietly(), torch.no_grad():
            return torch.export.export(module, tuple(example_inputs))
    # Tracing runs the module's own code, which may raise anything.
    except Exception as error:
        raise ModelError(
            f"torch.export cannot trace {type(module).__name__} ({_first_line(error)})",
            "torch.export.export(model, inputs) says more; data-dependent branches and shapes "
            "cannot be compiled",
        ) from error


def import_program(
    program: ExportedProgram,
    name: str = "model",
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Graph:
    """The float graph of an exported program.

    Inputs and outputs keep the source's axis order. Layers have the names of their modules. Raises
    `UnsupportedError` with every layer that cannot be translated, and `ModelError` for inputs that
    are not float, have no batch of 1 or open shapes.
    """
    graph = convert(without_mutation(program, name), name)
    _check_shapes(graph, name, shapes or {})
    return graph


def without_mutation(program: ExportedProgram, name: str) -> ExportedProgram:
    """The program with the operations that change their operand in place rewritten, and nothing
    else; raises `ModelError`."""
    try:
        with _quietly():
            return program.run_decompositions({})
    # The decomposition traces the program again, with whatever it calls.
    except Exception as error:
        raise ModelError(f"{name} cannot be prepared for import ({_first_line(error)})") from error


def _check_shapes(graph: Graph, name: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for key, shape in shapes.items():
        if key not in graph.inputs:
            known = ", ".join(f"'{n}'" for n in graph.inputs)
            raise UsageError(f"{name} has no input '{key}'", f"its inputs are: {known}")
        own = graph.tensors[key].shape
        if own != tuple(shape):
            raise UsageError(
                f"--shape {key}={'x'.join(map(str, shape))} differs from the exported program's "
                f"{'x'.join(map(str, own))}",
                "the shapes of an exported program are fixed: export it again with the wanted one",
            )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without torch's own warnings and log messages, which are about its future."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _know_quantized_operations() -> None:
    """Registers quantize and dequantize with torch, which cannot read programs of them else."""
    importlib.import_module("torch.ao.quantization.fx._decomposed")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
