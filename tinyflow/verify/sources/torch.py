"""PyTorch programs, node by node in PyTorch's own kernels."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from tinyflow.errors import UsageError
from tinyflow.importers.torch.convert import bind_names, output_values
from tinyflow.importers.torch.program import export_module, read_program, without_mutation
from tinyflow.verify.sources.runtime import Arrays, SampleRuntime

Shapes = Mapping[str, tuple[int, ...]]


class TorchRuntime(SampleRuntime):
    """A .pt2 file, an exported program, or a module in evaluation mode with ``shapes`` for its
    inputs, in the order of its arguments. Tensors have the names of the program's nodes."""

    def __init__(
        self, model: Path | ExportedProgram | nn.Module, shapes: Shapes | None = None
    ) -> None:
        self.name = f"PyTorch {torch.__version__.split('+')[0]}"
        self._program = without_mutation(_program(model, shapes), "the model")
        self._names, found = bind_names(self._program)
        titles = output_values(self._program, self._names)
        self._values = dict(titles)
        self.inputs = tuple(found)
        self.outputs = tuple(title for title, _ in titles)

    def _run_one(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        wanted = {*self._values.values(), *tensors}
        with torch.no_grad():
            found = self._values_of(inputs, wanted)
        outputs = {title: found[value] for title, value in self._values.items()}
        return {**outputs, **{n: found[n] for n in tensors if n in found}}

    def _values_of(self, inputs: Arrays, wanted: set[str]) -> Arrays:
        """Runs the program and keeps the values that are ``wanted``."""
        arguments = iter(self._arguments(inputs))
        values: dict[fx.Node, Any] = {}
        found: Arrays = {}
        for node in self._program.graph.nodes:
            if node.op == "placeholder":
                values[node] = next(arguments)
            elif node.op == "get_attr":
                values[node] = attrgetter(node.target)(self._program.graph_module)
            elif node.op == "call_function":
                operands = fx.map_arg((node.args, node.kwargs), values.__getitem__)
                values[node] = node.target(*operands[0], **operands[1])
            for name, value in _results(self._names.of.get(node, ()), values.get(node)):
                if name in wanted and isinstance(value, torch.Tensor):
                    found[name] = value.numpy().copy()
        return found

    def _arguments(self, inputs: Arrays) -> list[torch.Tensor]:
        """The program's placeholders: weights, buffers and constants, then the inputs."""
        kept = {**self._program.state_dict, **self._program.constants}
        return [
            torch.from_numpy(np.ascontiguousarray(inputs[spec.arg.name]))
            if spec.kind is InputKind.USER_INPUT
            else kept[spec.target]
            for spec in self._program.graph_signature.input_specs
        ]


def _results(names: str | tuple[str, ...], value: Any) -> list[tuple[str, Any]]:
    """The results of a node by name; it has a tuple of names where it gives a tuple."""
    if isinstance(names, str):
        return [(names, value)]
    return list(zip(names, value or (), strict=False))


def _program(model: Path | ExportedProgram | nn.Module, shapes: Shapes | None) -> ExportedProgram:
    if isinstance(model, Path):
        return read_program(model)
    if isinstance(model, ExportedProgram):
        return model
    if not shapes:
        raise UsageError("a module needs the shapes of its inputs", "give shapes")
    return export_module(model, [torch.zeros(shape) for shape in shapes.values()])
