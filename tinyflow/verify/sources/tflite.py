"""TFLite models in LiteRT, or in tflite-runtime where that is what is installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np

from tinyflow.errors import DataError, MissingExtraError, ModelError
from tinyflow.importers.tflite.boundary import find_boundary
from tinyflow.importers.tflite.flatbuffer import RawModel, parse
from tinyflow.importers.tflite.importer import tensor_names
from tinyflow.ir import DType, QuantParams
from tinyflow.verify.sources.runtime import Arrays, SampleRuntime


class TfliteRuntime(SampleRuntime):
    """A .tflite file; tensors have the names that the importer gives them.

    An int8 model takes and gives the integers of its imported graph, also where the file itself
    converts from and to float. ``reference`` takes the plain kernels instead of the fast ones.
    """

    def __init__(self, model: Path | bytes, reference: bool = False) -> None:
        title = "the model" if isinstance(model, bytes) else str(model)
        try:
            data = model if isinstance(model, bytes) else model.read_bytes()
        except OSError as error:
            raise ModelError(f"{title} cannot be read ({error.strerror})") from None
        package, litert = _interpreter()
        kernels = litert.OpResolverType
        self.name = f"{package} {metadata.version(package)}"
        self._raw: RawModel = parse(data, title)
        try:
            self._interpreter = litert.Interpreter(
                model_content=data,
                num_threads=1,
                experimental_op_resolver_type=kernels.BUILTIN_REF
                if reference
                else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                experimental_preserve_all_tensors=True,
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{package} cannot open {title} ({error})") from None
        if _is_hybrid(self._raw):
            self.deviation = "its hybrid kernels quantize the inputs of layers with int8 weights"
        self._boundary = find_boundary(self._raw)
        names = tensor_names(self._raw, self._boundary)
        self._indices = {name: index for index, name in enumerate(names)}
        self.inputs = tuple(names[i] for i in self._boundary.inputs)
        self.outputs = tuple(names[i] for i in self._boundary.outputs)
        self._shapes: dict[int, tuple[int, ...]] = {}

    def _run_one(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        outside = dict(zip(self.inputs, self._raw.inputs, strict=True))
        shapes = {outside[name]: array.shape for name, array in inputs.items()}
        if shapes != self._shapes:
            for index, shape in shapes.items():
                self._interpreter.resize_tensor_input(index, shape, strict=True)
            self._interpreter.allocate_tensors()
            self._shapes = shapes
        for name, array in inputs.items():
            self._set(outside[name], name, self._to_outside(name, array))
        self._interpreter.invoke()
        kept = self._kept() if tensors else set()
        wanted = [n for n in tensors if self._indices.get(n) in kept]
        return {
            name: np.array(self._interpreter.get_tensor(self._indices[name]))
            for name in dict.fromkeys((*self.outputs, *wanted))
        }

    def _kept(self) -> set[int]:
        """The computed tensors that are still there after a run: those that no later operator
        was computed over, in place."""
        last: dict[int, int] = {}
        for op in self._raw.operators:
            for index in op.outputs:
                view = self._interpreter.tensor(index)()
                last[view.__array_interface__["data"][0]] = index
        return set(last.values())

    def _set(self, index: int, name: str, array: np.ndarray) -> None:
        wanted = self._raw.tensors[index].type_name.lower()
        if array.dtype.name != wanted:
            raise DataError(f"the input '{name}' is {wanted}, given was {array.dtype}")
        self._interpreter.set_tensor(index, array)

    def _to_outside(self, name: str, array: np.ndarray) -> np.ndarray:
        """Integers of a graph's input as the file takes them, where it converts them first."""
        position = self.inputs.index(name)
        outer = self._raw.tensors[self._raw.inputs[position]]
        inner = self._raw.tensors[self._boundary.inputs[position]]
        if outer is inner or array.dtype != np.int8:
            return array
        if outer.quant is not None:
            return (array.astype(np.int16) + 128).astype(np.uint8)
        assert isinstance(inner.quant, QuantParams)
        return inner.quant.dequantize(array).astype(np.float32)


def _is_hybrid(model: RawModel) -> bool:
    """Whether a layer multiplies real activations by stored integers."""

    def types(indices: tuple[int, ...], constant: bool) -> set[DType | None]:
        found = [model.tensors[i] for i in indices if i >= 0]
        return {t.dtype for t in found if t.is_constant is constant}

    return any(
        DType.INT8 in types(op.inputs, True)
        and DType.FLOAT32 in types(op.inputs, False)
        and DType.FLOAT32 in types(op.outputs, False)
        for op in model.operators
    )


def _interpreter() -> tuple[str, ModuleType]:
    """The package that runs .tflite files, and its module."""
    try:
        from ai_edge_litert import interpreter

        return "ai-edge-litert", interpreter
    except ImportError:
        pass
    try:
        from tflite_runtime import interpreter
    except ImportError:
        raise MissingExtraError("running a .tflite model as it is", "tflite") from None
    return "tflite-runtime", interpreter
