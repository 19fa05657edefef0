"""Keras models from files of Keras 3 and of older versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tinyflow.importers.keras.description import KerasLayer
from tinyflow.importers.keras.worker.model import Input, OpenModel
from tinyflow.importers.keras.worker.refusal import Refusal, first_line

_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def open_keras(path: Path) -> OpenModel:
    """A .keras or .h5 file. Raises `Refusal`."""
    model = _read(path)
    if not getattr(model, "inputs", None):
        raise Refusal(
            f"the shapes of the inputs of {path} are not known: its model is a class of its own",
            "write it with model.export(folder), which fixes them, and give the folder",
        )
    layers = dict(_layers(model))
    for name, layer in layers.items():
        _name_scope(layer, name)
    keeper = tf.Module()
    keeper.kept = [variable.value for variable in model.variables]
    return OpenModel(
        runtime=f"TensorFlow {tf.__version__}, Keras {keras.__version__}",
        inputs=tuple(Input(_name(t), tuple(t.shape), tf.as_dtype(t.dtype)) for t in model.inputs),
        outputs=_output_names(model),
        call=_caller(model),
        keeper=keeper,
        layers=tuple(_describe(model, layers)),
        observe=lambda wanted: _observer(model, wanted),
    )


def _read(path: Path) -> Any:
    try:
        return keras.models.load_model(path, compile=False)
    # Keras raises exceptions of many kinds; nothing but the file goes in.
    except Exception as error:
        raise Refusal(
            f"Keras {keras.__version__} cannot read {path} ({first_line(error)})",
            "it needs a whole model, not weights alone, made of Keras's own layers; any model can "
            "be written with model.export(folder) where it was made, and given as that folder",
        ) from None


def _name(tensor: Any) -> str:
    """The name of the input layer that a symbolic input comes from."""
    return str(tensor._keras_history.operation.name)


def _output_names(model: Any) -> tuple[str, ...]:
    names: list[str] = []
    for tensor in model.outputs:
        stem = name = _name(tensor)
        while name in names:
            name = f"{stem}_{names.count(stem) + len(names)}"
        names.append(name)
    return tuple(names)


def _caller(model: Any) -> Callable[[Sequence[tf.Tensor]], list[tf.Tensor]]:
    def call(inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        packed = keras.tree.pack_sequence_as(model.input, list(inputs))
        return list(keras.tree.flatten(model(packed, training=False)))

    return call


def _observer(model: Any, wanted: Sequence[str]) -> tuple[list[str], Callable[..., Any]]:
    """The outputs of layers of the model itself; those of inner models are not its tensors."""
    known = {layer.name: layer for layer in model.layers}
    names = [name for name in wanted if name in known and _has_one_output(known[name])]
    if not names:
        return [], lambda _: []
    inner = keras.Model(model.inputs, [known[name].output for name in names])
    return names, _caller(inner)


def _has_one_output(layer: Any) -> bool:
    try:
        return isinstance(layer.output, keras.KerasTensor)
    # A layer that is used several times has no output of its own.
    except (AttributeError, ValueError):
        return False


def _layers(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every layer by its path; those of inner models stand behind the model's name."""
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        yield path, layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{path}/")


def _name_scope(layer: Any, path: str) -> None:
    """Lets every operation of a layer have the layer's path in its name.

    Keras opens a scope of its own, whose name TensorFlow makes unique with a number, so that the
    number of a name would not tell which layer it means.
    """
    call = layer.call

    def scoped(*args: Any, **kwargs: Any) -> Any:
        # A slash at the end keeps the name as it is.
        with tf.name_scope(f"{path}/"):
            return call(*args, **kwargs)

    layer.call = scoped


def _describe(model: Any, layers: dict[str, Any]) -> Iterator[KerasLayer]:
    readers = dict(_inbound(model, ""))
    for path, layer in layers.items():
        kernel = any(getattr(layer, name, None) is not None for name in _KERNELS)
        yield KerasLayer(path, type(layer).__name__, readers.get(path, ()), kernel)


def _inbound(model: Any, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What each layer reads, by paths."""
    if isinstance(model, keras.Sequential):
        paths = [f"{prefix}{layer.name}" for layer in model.layers]
        yield from zip(paths[1:], ((p,) for p in paths[:-1]), strict=True)
    else:
        for entry in model.get_config().get("layers", ()):
            found = [f"{prefix}{name}" for name in _history(entry.get("inbound_nodes"))]
            yield f"{prefix}{entry['name']}", tuple(dict.fromkeys(found))
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _inbound(layer, f"{prefix}{layer.name}/")


def _history(value: Any) -> Iterator[str]:
    """The names of the layers that a configuration of connections mentions."""
    if isinstance(value, dict):
        if "keras_history" in value:
            yield value["keras_history"][0]
        else:
            for part in value.values():
                yield from _history(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _history(part)
