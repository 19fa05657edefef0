"""A model as a float .tflite of batch 1, by TensorFlow's own converter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from tinyflow.importers.keras.worker.model import Input, OpenModel
from tinyflow.importers.keras.worker.refusal import Refusal, first_line


def convert(model: OpenModel, shapes: Mapping[str, Sequence[int]]) -> bytes:
    """The .tflite, whose inputs and outputs stand in the order of the model's.

    Operations that TFLite lacks stay in it under their TensorFlow names. Raises `Refusal`.
    """
    specs = _specs(model, shapes)

    def serve(**tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        results = model.call([tensors[spec.name] for spec in specs])
        return {f"output_{i:03d}": value for i, value in enumerate(results)}

    try:
        traced = tf.function(serve, autograph=False)
        function = traced.get_concrete_function(**{spec.name: spec for spec in specs})
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model.keeper)
        converter.allow_custom_ops = True
        return bytes(converter.convert())
    # Tracing runs the layers' own code, and the converter raises whatever it likes.
    except Exception as error:
        raise Refusal(f"TensorFlow's converter cannot convert it ({first_line(error)})") from None


def _specs(model: OpenModel, shapes: Mapping[str, Sequence[int]]) -> list[tf.TensorSpec]:
    """The inputs, named so that the alphabet keeps their order."""
    known = [entry.name for entry in model.inputs]
    for name in shapes:
        if name not in known:
            listed = ", ".join(f"'{n}'" for n in known)
            raise Refusal(f"the model has no input '{name}'", f"its inputs are {listed}")
    return [
        tf.TensorSpec(_shape(entry, shapes.get(entry.name)), entry.dtype, name=f"input_{i:03d}")
        for i, entry in enumerate(model.inputs)
    ]


def _shape(entry: Input, given: Sequence[int] | None) -> tuple[int, ...]:
    if given is not None:
        pairs = list(zip(entry.shape, given, strict=False))
        if len(given) != len(entry.shape) or any(s not in (None, g) for s, g in pairs):
            raise Refusal(
                f"the shape {_dims(given)} does not fit the input '{entry.name}', "
                f"which is {_dims(entry.shape)}"
            )
        shape: Sequence[int | None] = given
    else:
        shape = [1 if i == 0 and size is None else size for i, size in enumerate(entry.shape)]
    fixed = tuple(size for size in shape if size is not None)
    if len(fixed) < len(shape):
        wanted = "x".join("N" if size is None else str(size) for size in shape)
        raise Refusal(
            f"the input '{entry.name}' has no fixed shape: {_dims(entry.shape)}",
            f"state it with --shape {entry.name}={wanted}, with a number for each N",
        )
    if not fixed or fixed[0] != 1:
        raise Refusal(
            f"the input '{entry.name}' has the shape {_dims(shape)}: its first axis, the batch, "
            "must be 1",
            f"--shape {entry.name}=1x... where the model leaves its batch open",
        )
    return fixed


def _dims(shape: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape) or "a scalar"
