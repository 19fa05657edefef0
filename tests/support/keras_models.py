"""Writes Keras models and what Keras computes with them; runs in a process of its own.

python -m tests.support.keras_models FOLDER [RESNET.h5]
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def zoo() -> keras.Model:
    """Two inputs, two outputs, a model and a Sequential inside, and a layer that is used twice."""
    picture = keras.Input((12, 12, 3), name="picture")
    facts = keras.Input((5,), name="facts")
    x = layers.ZeroPadding2D(name="border")(picture)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    x = block()(x)
    again = layers.Conv2D(12, 1, activation="relu", name="again")
    x = layers.Concatenate(name="both")([again(x), again(layers.MaxPooling2D(3, 1, "same")(x))])
    x = layers.SeparableConv2D(10, 3, padding="same", activation="tanh", name="separable")(x)
    up = layers.Conv2DTranspose(4, 2, strides=2, name="up")(x)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(x)
    fused = layers.Concatenate(name="fused")([pooled, head()(facts)])
    scores = layers.Dense(7, activation="softmax", name="scores")(fused)
    return keras.Model([picture, facts], [scores, up], name="zoo")


def block() -> keras.Model:
    inner = keras.Input((6, 6, 8))
    y = layers.DepthwiseConv2D(3, padding="same", name="mix")(inner)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Activation("swish", name="swish")(y)
    return keras.Model(inner, layers.Add(name="sum")([inner, y]), name="block")


def head() -> keras.Sequential:
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(6, activation="relu", name="hidden"), layers.Dense(4)],
        name="head",
    )


def refused() -> keras.Model:
    """Two layers that cannot be compiled, behind an input of open shape."""
    x = keras.Input((None, 4), name="series")
    y = layers.Dense(4, name="before")(x)
    y = layers.LSTM(3, return_sequences=True, name="memory")(y)
    y = layers.Bidirectional(layers.GRU(3), name="gates")(y)
    return keras.Model(x, layers.Dense(2, name="after")(y), name="refused")


def randomized(model: keras.Model) -> keras.Model:
    """Statistics of a trained model, so that no normalization is trivial."""
    rng = np.random.default_rng(1)
    for variable in model.variables:
        value = rng.normal(0, 0.5, variable.shape)
        positive = "variance" in variable.path or "gamma" in variable.path
        variable.assign(np.abs(value) + 0.3 if positive else value)
    return model


def main(folder: Path, resnet: Path | None) -> None:
    keras.utils.set_random_seed(0)
    model = randomized(zoo())
    model.save(folder / "zoo.keras")
    model.export(folder / "zoo", verbose=False)
    refused().save(folder / "refused.h5")
    rng = np.random.default_rng(2)
    inputs = {
        "picture": rng.normal(size=(3, 12, 12, 3)).astype(np.float32),
        "facts": rng.normal(size=(3, 5)).astype(np.float32),
    }
    scores, up = model(list(inputs.values()), training=False)
    np.savez(folder / "zoo.npz", scores=scores, up=up, **inputs)
    if resnet is not None:
        read = keras.models.load_model(resnet, compile=False)
        converter = tf.lite.TFLiteConverter.from_keras_model(read)
        (folder / "resnet.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
