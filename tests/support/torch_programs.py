"""Holds the import of PyTorch functions and modules against PyTorch. Importing this needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tests.support.onnx_models import assert_close, random_inputs, run_graph
from tinyflow.importers.torch import import_module, import_program
from tinyflow.ir import Graph
from tinyflow.passes import run_passes
from tinyflow.passes.remove_transposes import remove_transposes

Outputs = Tensor | tuple[Tensor, ...] | dict[str, Tensor]


class Calls(nn.Module):
    """A module that calls a function; what its closure holds becomes constants."""

    def __init__(self, function: Callable[..., Outputs]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Outputs:
        return self.function(*inputs)


def examples(shapes: Sequence[Sequence[int]]) -> tuple[Tensor, ...]:
    return tuple(torch.zeros(tuple(shape)) for shape in shapes)


def torch_outputs(module: nn.Module, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    with torch.no_grad():
        result = module(*(torch.from_numpy(x) for x in inputs.values()))
    if isinstance(result, dict):
        result = tuple(result.values())
    results = result if isinstance(result, tuple | list) else (result,)
    return [y.numpy() for y in results]


def assert_equal_to_torch(graph: Graph, module: nn.Module) -> Graph:
    """Compares the graph as it is, without its TRANSPOSEs, and after all passes, which it
    returns."""
    inputs = random_inputs(graph)
    wanted = dict(zip(graph.outputs, torch_outputs(module, inputs), strict=True))
    assert_close(run_graph(graph, inputs), wanted)
    without, _ = remove_transposes(graph)
    assert_close(run_graph(without, inputs), wanted)
    final = run_passes(graph)
    assert_close(run_graph(final, inputs), wanted)
    return final


def assert_import_is_exact(
    module: nn.Module, shapes: Sequence[Sequence[int]], decomposed: bool = False
) -> Graph:
    """Imports a module and compares it with PyTorch; ``decomposed`` takes it apart into the core
    operations of ATen first. Returns the graph as it was imported."""
    if decomposed:
        program = torch.export.export(module, examples(shapes)).run_decompositions()
        graph = import_program(program)
    else:
        graph = import_module(module, examples(shapes))
    assert all(n.sources for n in graph.nodes)
    assert_equal_to_torch(graph, module)
    return graph
