"""Input shapes: what the file states, what --shape fixes, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from tinyflow.errors import ModelError, UsageError

FLOAT_TYPES = {
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.BFLOAT16,
}

Dim = int | str
"""An axis: its size, or the name of a size that the file leaves open ('' without a name)."""


def graph_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a caller gives: older files list weights among them."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def input_shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """The shape of an input after `fix_input_shapes`."""
    return tuple(d.dim_value for d in value.type.tensor_type.shape.dim)


def fix_input_shapes(
    path: Path, model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Writes ``shapes`` into the model and raises unless every input then has a known shape, a
    batch of 1 and float elements."""
    inputs = {value.name: value for value in graph_inputs(model)}
    for name in shapes:
        if name not in inputs:
            known = ", ".join(f"'{n}'" for n in inputs)
            raise UsageError(f"{path} has no input '{name}'", f"its inputs are: {known}")
    if not inputs:
        raise ModelError(f"{path} has no inputs", "export the model with its inputs")
    for name, value in inputs.items():
        _check_type(path, value)
        if name in shapes:
            _override(path, value, shapes[name])
    if shapes:
        _forget_inferred_shapes(model)
    open_inputs = {n: _dims(v) for n, v in inputs.items() if not _is_fixed(v)}
    if open_inputs:
        stated = "; ".join(f"'{n}' is {_show(dims)}" for n, dims in open_inputs.items())
        options = " ".join(f"--shape {n}={_example(dims)}" for n, dims in open_inputs.items())
        raise ModelError(f"{path} leaves input shapes open: {stated}", f"fix them, as in {options}")
    for name, value in inputs.items():
        shape = input_shape(value)
        if not shape or shape[0] != 1:
            wanted = "x".join(map(str, (1, *shape[1:])))
            raise ModelError(
                f"the input '{name}' of {path} has the shape {list(shape)}; "
                "TinyFlow compiles models whose first axis is a batch of 1",
                f"export the model with a batch of 1, or try --shape {name}={wanted}",
            )


def _check_type(path: Path, value: onnx.ValueInfoProto) -> None:
    if not value.type.HasField("tensor_type"):
        raise ModelError(f"the input '{value.name}' of {path} is not a tensor")
    kind = value.type.tensor_type.elem_type
    if kind not in FLOAT_TYPES:
        known = kind in onnx.TensorProto.DataType.values()
        name = onnx.TensorProto.DataType.Name(kind).lower() if known else "of unknown type"
        raise ModelError(
            f"the input '{value.name}' of {path} is {name}; TinyFlow compiles float models",
            "export the model without the cast, so that its input is float",
        )


def _override(path: Path, value: onnx.ValueInfoProto, shape: tuple[int, ...]) -> None:
    tensor = value.type.tensor_type
    if tensor.HasField("shape") and len(tensor.shape.dim) != len(shape):
        raise UsageError(
            f"--shape {value.name}={'x'.join(map(str, shape))} has {len(shape)} axes; the input "
            f"'{value.name}' of {path} has {len(tensor.shape.dim)}: {_show(_dims(value))}",
            f"as in --shape {value.name}={_example(_dims(value))}",
        )
    if any(size < 1 for size in shape):
        raise UsageError(f"--shape {value.name} has a size below 1: {list(shape)}")
    tensor.shape.Clear()
    for size in shape:
        tensor.shape.dim.add().dim_value = size


def _forget_inferred_shapes(model: onnx.ModelProto) -> None:
    """Inner and output shapes in the file belong to the old input shapes."""
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")


def _dims(value: onnx.ValueInfoProto) -> list[Dim] | None:
    """None where not even the number of axes is known."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") else d.dim_param for d in tensor.shape.dim]


def _is_fixed(value: onnx.ValueInfoProto) -> bool:
    dims = _dims(value)
    return dims is not None and all(isinstance(d, int) and d > 0 for d in dims)


def _show(dims: list[Dim] | None) -> str:
    if dims is None:
        return "of unknown rank"
    return "[" + ", ".join(str(d) if d != "" else "?" for d in dims) + "]"


def _example(dims: list[Dim] | None) -> str:
    """A shape to type: open axes show a plausible size, the batch is 1."""
    if not dims:
        return "1x3x224x224"
    guesses = [224 if len(dims) == 4 and i > 1 else 3 if i == 1 else 16 for i in range(len(dims))]
    sizes = [d if isinstance(d, int) and d > 0 else g for d, g in zip(dims, guesses, strict=True)]
    return "x".join(map(str, [1, *sizes[1:]]))
