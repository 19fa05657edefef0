"""The forms in which a test can be given to the importer, which wants a batch of 1.

Operands that are not float are constants of the model, as they are in models that people export.
So are trailing float operands where a test comes no further with all of them computed: weights,
limits, divisors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.conformance.cases import Case


@dataclass(frozen=True, eq=False)
class Form:
    """A model, its samples [n, ...] by input name, and the outputs that they must give, in
    float64.

    ``split`` says that the samples are the test's batch: an op that mixes them is not to blame for
    other results.
    """

    model: onnx.ModelProto
    samples: dict[str, np.ndarray]
    wanted: dict[str, np.ndarray]
    split: bool = False


def is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype in (np.float16, np.float32, np.float64)


def forms_of(case: Case) -> Iterator[Form]:
    """All forms to try, the one that asks most first."""
    floats = [name for name, value in case.inputs.items() if is_float(value)]
    for count in range(len(floats), 0, -1):
        yield _as_one_sample(case, floats[:count])
    for count in range(len(floats), 0, -1):
        form = _sample_by_sample(case, floats[:count])
        if form is not None:
            yield form


def _as_one_sample(case: Case, activations: Sequence[str]) -> Form:
    """Operands and results without a batch axis of 1 get one, which a Reshape takes off."""
    model = _with_constants(case, activations)
    samples, wanted = {}, {}
    before, after = [], []
    for value in model.graph.input:
        if value.name not in activations:
            continue
        array = case.inputs[value.name]
        if array.shape[:1] == (1,):
            samples[value.name] = array
            continue
        samples[value.name] = array[None]
        inner = f"{value.name}_inner"
        _rename_input(model.graph, value.name, inner)
        before.append(_reshape(model.graph, value.name, inner, array.shape))
    for value in model.graph.output:
        array = case.outputs[value.name]
        # Sequences and 4-bit integers are no arrays; the importer has refused their makers.
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            continue
        if array.shape[:1] == (1,):
            wanted[value.name] = array.astype(np.float64)
            continue
        wanted[value.name] = array[None].astype(np.float64)
        inner = f"{value.name}_inner"
        _rename_output(model.graph, value.name, inner)
        after.append(_reshape(model.graph, inner, value.name, (1, *array.shape)))
    nodes = [*before, *model.graph.node, *after]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _set_shapes(model, {n: a.shape for n, a in samples.items()})
    return Form(model, samples, wanted)


def _sample_by_sample(case: Case, activations: Sequence[str]) -> Form | None:
    """The model with a batch of 1, run on one sample of the test's batch after the other; None
    where not all that is computed has that batch."""
    sizes = {case.inputs[name].shape[:1] for name in activations}
    outputs = {n: a for n, a in case.outputs.items() if isinstance(a, np.ndarray)}
    if len(outputs) < len(case.outputs):
        return None
    if len(sizes | {a.shape[:1] for a in outputs.values()}) != 1 or sizes & {(), (0,), (1,)}:
        return None
    model = _with_constants(case, activations)
    samples = {name: case.inputs[name] for name in activations}
    _set_shapes(model, {n: (1, *a.shape[1:]) for n, a in samples.items()})
    return Form(model, samples, {n: a.astype(np.float64) for n, a in outputs.items()}, True)


def _with_constants(case: Case, activations: Sequence[str]) -> onnx.ModelProto:
    """The model with all tensors among its inputs but ``activations`` as initializers."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    constants = [
        (name, value)
        for name, value in case.inputs.items()
        if name not in activations and isinstance(value, np.ndarray | onnx.TensorProto)
    ]
    names = {name for name, _ in constants}
    kept = [value for value in case.model.graph.input if value.name not in names]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    del model.graph.value_info[:]
    for name, value in constants:
        tensor = onnx.TensorProto()
        is_array = isinstance(value, np.ndarray)
        tensor.CopyFrom(numpy_helper.from_array(value) if is_array else value)
        tensor.name = name
        model.graph.initializer.append(tensor)
    for node in model.graph.node:
        node.name = node.name or node.op_type
    return model


def _set_shapes(model: onnx.ModelProto, shapes: dict[str, tuple[int, ...]]) -> None:
    for value in model.graph.input:
        if value.name in shapes:
            kind = value.type.tensor_type.elem_type
            value.CopyFrom(helper.make_tensor_value_info(value.name, kind, shapes[value.name]))
    for value in model.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")


def _rename_input(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        names = [new if name == old else name for name in node.input]
        del node.input[:]
        node.input.extend(names)


def _rename_output(graph: onnx.GraphProto, old: str, new: str) -> None:
    _rename_input(graph, old, new)
    for node in graph.node:
        names = [new if name == old else name for name in node.output]
        del node.output[:]
        node.output.extend(names)


def _reshape(graph: onnx.GraphProto, x: str, y: str, shape: Sequence[int]) -> onnx.NodeProto:
    name = f"{y}_shape"
    graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [len(shape)], shape))
    return helper.make_node("Reshape", [x, name], [y], name=f"{y}_reshape")
