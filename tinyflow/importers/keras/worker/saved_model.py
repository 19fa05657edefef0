"""SavedModel folders, of TensorFlow 2 and of 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from tinyflow.importers.keras.worker.model import Input, OpenModel
from tinyflow.importers.keras.worker.refusal import Refusal, first_line

_USUAL = "serving_default"


def open_saved_model(path: Path) -> OpenModel:
    """The signature 'serving_default', or the only one. Raises `Refusal`."""
    try:
        loaded = tf.saved_model.load(str(path))
    # TensorFlow raises exceptions of many kinds; nothing but the folder goes in.
    except Exception as error:
        raise Refusal(
            f"TensorFlow {tf.__version__} cannot read {path} ({first_line(error)})",
            "give the folder that holds saved_model.pb",
        ) from None
    found = dict(loaded.signatures)
    if not found or (_USUAL not in found and len(found) > 1):
        listed = ", ".join(f"'{name}'" for name in found) or "none"
        raise Refusal(
            f"{path} has no signature '{_USUAL}'; it has {listed}",
            f"save it with signatures={{'{_USUAL}': function}}",
        )
    signature = found.get(_USUAL) or next(iter(found.values()))
    specs = signature.structured_input_signature[1]
    outputs = tuple(sorted(signature.structured_outputs))

    def call(inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        results = signature(**dict(zip(specs, inputs, strict=True)))
        return [results[name] for name in outputs]

    keeper = tf.Module()
    keeper.kept = loaded
    return OpenModel(
        runtime=f"TensorFlow {tf.__version__}",
        inputs=tuple(_input(path, name, spec) for name, spec in specs.items()),
        outputs=outputs,
        call=call,
        keeper=keeper,
    )


def _input(path: Path, name: str, spec: tf.TensorSpec) -> Input:
    if spec.shape.rank is None:
        raise Refusal(
            f"the input '{name}' of {path} may have any number of axes",
            "save the model with a signature that states its shape",
        )
    return Input(name, tuple(spec.shape), spec.dtype)
