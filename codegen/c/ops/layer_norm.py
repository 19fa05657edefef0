"""LAYER_NORM."""

from __future__ import annotations

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.literals import Int64, UInt32
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call("layer_norm_s8", fields(layer))]


def fields(layer: Layer) -> list[FieldLine]:
    form = layer.form
    _, height, width, channels = as_nhwc(layer.result.shape)
    lines: list[FieldLine] = [
        {"height": height, "width": width, "channels": channels},
        {"epsilon": Int64(form.epsilon)},
        {"factor": UInt32(form.factor), "shift": form.shift},
        {"reciprocal": form.reciprocal, "mean_shift": form.mean_shift},
        {"fraction": form.fraction},
    ]
    if form.gamma is None:
        return [*lines, {"start": form.start}]
    gamma, beta = layer.table("gamma", form.gamma), layer.table("beta", form.beta)
    return [*lines, {"gamma": gamma}, {"beta": beta}]
