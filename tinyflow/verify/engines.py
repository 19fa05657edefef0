"""Runtimes that execute a .tflite file of ours: TFLite Micro's wheel and LiteRT's plain kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import metadata

import numpy as np

from tinyflow.codegen.tflite import TfliteFile
from tinyflow.errors import MissingExtraError, ToolError
from tinyflow.ir import Graph, Op
from tinyflow.targets.tflite_micro import open_interpreter
from tinyflow.verify.deviations import LITERT, Deviation

Arrays = dict[str, np.ndarray]


class Engine(ABC):
    """``deviations`` are the operations in which the runtime is known to compute something else
    than the definition, and how far off it may be."""

    title: str
    deviations: Mapping[Op, Deviation]

    @property
    @abstractmethod
    def name(self) -> str:
        """The runtime and its version. Raises `MissingExtraError`."""

    @abstractmethod
    def run(self, file: TfliteFile, graph: Graph, inputs: Arrays, names: Sequence[str]) -> Arrays:
        """The tensors ``names`` [n, ...] of a file that was written from ``graph``, in codes;
        ``inputs`` [n, ...] are codes too. Raises `ToolError` where the runtime refuses the file."""


class TfliteMicro(Engine):
    """The tflite-micro wheel: the kernels that a microcontroller would run."""

    title = "tflite-micro wheel"
    deviations: Mapping[Op, Deviation] = {}

    @property
    def name(self) -> str:
        return f"{self.title} {_version('tflite-micro')}"

    def run(self, file: TfliteFile, graph: Graph, inputs: Arrays, names: Sequence[str]) -> Arrays:
        interpreter = open_interpreter(file.data, keep_all=True)
        found: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for sample in range(len(next(iter(inputs.values())))):
            for number, name in enumerate(graph.inputs):
                interpreter.set_input(inputs[name][sample : sample + 1], number)
            interpreter.invoke()
            for name in names:
                data = interpreter.GetTensor(file.indices[name], 0)["tensor_data"]
                found[name].append(np.array(data))
        return {name: np.concatenate(parts) for name, parts in found.items()}


class LitertReference(Engine):
    """LiteRT with its reference kernels, without delegates."""

    title = "LiteRT reference kernels"
    deviations = LITERT

    @property
    def name(self) -> str:
        return f"{self.title} {_version('ai-edge-litert')}"

    def run(self, file: TfliteFile, graph: Graph, inputs: Arrays, names: Sequence[str]) -> Arrays:
        from ai_edge_litert import interpreter as litert

        try:
            interpreter = litert.Interpreter(
                model_content=file.data,
                num_threads=1,
                experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=True,
            )
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ToolError(f"LiteRT refuses the model: {error}") from None
        found: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for sample in range(len(next(iter(inputs.values())))):
            for name in graph.inputs:
                interpreter.set_tensor(file.indices[name], inputs[name][sample : sample + 1])
            interpreter.invoke()
            for name in names:
                found[name].append(np.array(interpreter.get_tensor(file.indices[name])))
        return {name: np.concatenate(parts) for name, parts in found.items()}


ENGINES: tuple[Engine, ...] = (TfliteMicro(), LitertReference())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise MissingExtraError("running the exported .tflite file", "tflite") from None
