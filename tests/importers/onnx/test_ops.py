"""Every supported ONNX operation against onnxruntime, one layer a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.onnx_models import assert_import_is_exact, model, node, one_op, ops, tensor
from tinyflow.ir import Op

INT = np.int64


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=INT)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def conv(
    x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **attrs: Any
) -> onnx.ModelProto:
    constants = {"w": tensor(1, *w)}
    if bias:
        constants["b"] = tensor(2, w[0])
    return one_op("Conv", {"x": x}, constants, **attrs)


CONV = {
    "plain": conv((1, 3, 7, 6), (4, 3, 3, 3)),
    "no bias": conv((1, 3, 7, 6), (4, 3, 3, 3), bias=False),
    "1x1": conv((1, 3, 7, 6), (4, 3, 1, 1)),
    "strides": conv((1, 3, 9, 8), (4, 3, 3, 2), strides=[2, 3]),
    "pads": conv((1, 3, 7, 6), (4, 3, 3, 5), pads=[1, 2, 0, 3]),
    "dilations": conv((1, 3, 11, 9), (4, 3, 3, 2), dilations=[3, 2], pads=[1, 1, 1, 1]),
    "groups": conv((1, 6, 7, 6), (4, 3, 3, 3), group=2),
    "depthwise": conv((1, 5, 7, 6), (5, 1, 3, 3), group=5, pads=[1, 1, 1, 1]),
    "depthwise multiplier": conv((1, 3, 7, 6), (6, 1, 3, 3), group=3, strides=[2, 2]),
    "depthwise dilated": conv((1, 3, 9, 9), (3, 1, 3, 3), group=3, dilations=[2, 2]),
    "one channel": conv((1, 1, 7, 6), (4, 1, 3, 3)),
    "same upper": conv((1, 3, 7, 6), (4, 3, 4, 3), auto_pad="SAME_UPPER", strides=[2, 2]),
    "same lower": conv((1, 3, 7, 6), (4, 3, 4, 2), auto_pad="SAME_LOWER", strides=[2, 1]),
    "valid": conv((1, 3, 7, 6), (4, 3, 3, 3), auto_pad="VALID"),
    "1-D": conv((1, 3, 16), (4, 3, 5), pads=[2, 1], strides=[2]),
    "1-D depthwise": conv((1, 3, 16), (3, 1, 5), group=3, dilations=[2]),
    "1-D same": conv((1, 3, 15), (4, 3, 4), auto_pad="SAME_UPPER", strides=[2]),
}


def transposed(
    x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **attrs: Any
) -> onnx.ModelProto:
    constants = {"w": tensor(1, *w)}
    if bias:
        constants["b"] = tensor(2, w[1])
    return one_op("ConvTranspose", {"x": x}, constants, **attrs)


CONV_TRANSPOSE = {
    "plain": transposed((1, 3, 4, 5), (3, 2, 3, 3)),
    "strides": transposed((1, 3, 4, 5), (3, 2, 2, 2), bias=False, strides=[2, 2]),
    "pads": transposed((1, 3, 4, 5), (3, 2, 3, 3), strides=[2, 2], pads=[1, 1, 0, 2]),
    "output padding": transposed(
        (1, 3, 4, 5), (3, 2, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]
    ),
    "output shape": transposed((1, 3, 4, 5), (3, 2, 3, 3), strides=[2, 2], output_shape=[8, 10]),
    "same upper": transposed((1, 3, 4, 5), (3, 2, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
    "same lower": transposed((1, 3, 4, 5), (3, 2, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER"),
    "1-D": transposed((1, 3, 7), (3, 2, 4), strides=[3], pads=[1, 0], output_padding=[1]),
}

POOL: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "plain": ((1, 3, 8, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "no strides": ((1, 3, 8, 6), {"kernel_shape": [3, 2]}),
    "pads": ((1, 3, 8, 6), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 1]}),
    "ceil": ((1, 3, 8, 7), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "ceil pads": (
        (1, 3, 8, 7),
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    ),
    "ceil drops": (
        (1, 3, 5, 7),
        {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [0, 1, 0, 1], "ceil_mode": 1},
    ),
    "same": (
        (1, 3, 8, 7),
        {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ),
    "whole image": ((1, 3, 4, 5), {"kernel_shape": [4, 5]}),
    "1-D": ((1, 3, 9), {"kernel_shape": [3], "strides": [2], "pads": [1, 0]}),
}


def resize(
    shape: tuple[int, ...],
    scales: tuple[float, ...] = (),
    sizes: tuple[int, ...] = (),
    opset: int = 17,
    **attrs: Any,
) -> onnx.ModelProto:
    constants = {"scales": floats(*scales)}
    operands = ["x", "", "scales"]
    if sizes:
        constants = {"sizes": ints(*sizes)}
        operands = ["x", "", "", "sizes"]
    return one_op("Resize", {"x": shape}, constants, operands, opset, **attrs)


HALF = "half_pixel"
RESIZE = {
    "nearest floor": resize(
        (1, 3, 4, 5),
        (1, 1, 2, 3),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "nearest default": resize((1, 3, 4, 5), (1, 1, 2, 2)),
    "nearest odd size": resize(
        (1, 3, 4, 5),
        sizes=(1, 3, 7, 9),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "nearest shrinks": resize(
        (1, 3, 8, 6),
        (1, 1, 0.5, 0.5),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "linear": resize((1, 3, 4, 5), (1, 1, 2, 2), mode="linear"),
    "linear sizes": resize((1, 3, 4, 5), sizes=(1, 3, 7, 9), mode="linear"),
    "linear corners": resize(
        (1, 3, 4, 5),
        sizes=(1, 3, 7, 9),
        mode="linear",
        coordinate_transformation_mode="align_corners",
    ),
    "linear asymmetric": resize(
        (1, 3, 4, 5),
        (1, 1, 2, 3),
        mode="linear",
        coordinate_transformation_mode="asymmetric",
    ),
    "linear pytorch": resize(
        (1, 3, 4, 5),
        sizes=(1, 3, 6, 10),
        mode="linear",
        coordinate_transformation_mode="pytorch_half_pixel",
    ),
    "linear float scales": resize((1, 3, 5, 5), (1, 1, 1.4, 2.2), mode="linear"),
    "linear 1-D": resize((1, 3, 5), (1, 1, 2), mode="linear"),
    "axes": resize((1, 3, 4, 5), sizes=(8, 10), opset=18, mode="linear", axes=[2, 3]),
    "channels last": resize((1, 4, 5, 3), (1, 2, 2, 1), mode="linear"),
    "nothing": resize((1, 3, 4, 5), (1, 1, 1, 1), mode="linear"),
}

IMAGE = {"x": (1, 3, 4, 5)}


def chain(
    *steps: tuple[str, list[str], dict[str, Any]], **constants: np.ndarray
) -> onnx.ModelProto:
    """Layers on the image 'x', their results 'a', 'b' and so on; the last one is the output."""
    nodes = [
        node(op, inputs, [chr(ord("a") + i)], **attrs)
        for i, (op, inputs, attrs) in enumerate(steps)
    ]
    return model(nodes, IMAGE, [nodes[-1].output[0]], constants)


OTHERS = {
    "Gemm": one_op("Gemm", {"x": (1, 6)}, {"w": tensor(1, 6, 4), "b": tensor(2, 4)}),
    "Gemm transB": one_op(
        "Gemm", {"x": (1, 6)}, {"w": tensor(1, 4, 6), "b": tensor(2, 1, 4)}, transB=1
    ),
    "Gemm alpha beta": one_op(
        "Gemm", {"x": (1, 6)}, {"w": tensor(1, 6, 4), "b": tensor(2, 4)}, alpha=0.5, beta=-2.0
    ),
    "Gemm scalar bias": one_op("Gemm", {"x": (1, 6)}, {"w": tensor(1, 6, 4), "b": tensor(2, 1)}),
    "Gemm no bias": one_op("Gemm", {"x": (1, 6)}, {"w": tensor(1, 6, 4)}),
    "Gemm computed bias": one_op(
        "Gemm", {"x": (1, 6), "c": (1, 4)}, {"w": tensor(1, 6, 4)}, ["x", "w", "c"], beta=3.0
    ),
    "MatMul": one_op("MatMul", {"x": (1, 6)}, {"w": tensor(1, 6, 4)}),
    "MatMul tokens": one_op("MatMul", {"x": (1, 5, 6)}, {"w": tensor(1, 6, 4)}),
    "MatMul stack of one": one_op("MatMul", {"x": (1, 5, 6)}, {"w": tensor(1, 1, 6, 4)}),
    "MatMul vector": one_op("MatMul", {"x": (1, 5, 6)}, {"w": tensor(1, 6)}),
    "MatMul activations": one_op("MatMul", {"a": (1, 5, 6), "b": (1, 6, 4)}),
    "MatMul heads": one_op("MatMul", {"a": (1, 3, 5, 6), "b": (1, 3, 6, 2)}),
    "MatMul left": one_op("MatMul", {"x": (1, 6, 5)}, {"w": tensor(1, 4, 6)}, ["w", "x"]),
    "MatMul left vector": one_op("MatMul", {"x": (1, 6, 5)}, {"w": tensor(1, 6)}, ["w", "x"]),
    "Add": one_op("Add", {"a": (1, 3, 4, 5), "b": (1, 3, 4, 5)}),
    "Add broadcast": one_op("Add", {"a": (1, 3, 4, 5), "b": (1, 3, 1, 1)}),
    "Add lower rank": one_op("Add", {"a": (1, 3, 4, 5), "b": (1, 5)}),
    "Add itself": one_op("Add", IMAGE, operands=["x", "x"]),
    "Add constant": one_op("Add", IMAGE, {"c": tensor(1, 3, 1, 1)}),
    "Add scalar": one_op("Add", IMAGE, {"c": np.float32(2.5).reshape(())}),
    "Add raises rank": one_op("Add", {"x": (1, 5)}, {"c": tensor(1, 1, 3, 4, 5)}),
    "Sub": one_op("Sub", {"a": (1, 3, 4), "b": (1, 3, 4)}),
    "Sub from constant": one_op("Sub", IMAGE, {"c": tensor(1, 1, 3, 1, 1)}, ["c", "x"]),
    "Mul": one_op("Mul", {"a": (1, 3, 4, 5), "b": (1, 3, 1, 1)}),
    "Mul constant": one_op("Mul", IMAGE, {"c": tensor(1, 5)}),
    "Div": one_op("Div", IMAGE, {"c": tensor(1, 3, 1, 1) + 3}),
    "Div scalar": one_op("Div", IMAGE, {"c": floats(255)}),
    "Concat": one_op("Concat", {"a": (1, 3, 4, 5), "b": (1, 2, 4, 5)}, axis=1),
    "Concat negative": one_op("Concat", {"a": (1, 3, 4), "b": (1, 3, 2)}, axis=-1),
    "Concat constant": one_op("Concat", IMAGE, {"c": tensor(1, 1, 2, 4, 5)}, axis=1),
    "Pad": one_op("Pad", IMAGE, {"p": ints(0, 0, 1, 2, 0, 0, 3, 0)}),
    "Pad value": one_op("Pad", IMAGE, {"p": ints(0, 1, 1, 2, 0, 0, 3, 0), "v": floats(-1.5)}),
    "Pad cuts": one_op("Pad", IMAGE, {"p": ints(0, 0, -1, 2, 0, 0, -1, -3)}),
    "Pad only cuts": one_op("Pad", IMAGE, {"p": ints(0, 0, -1, 0, 0, 0, -1, -3)}),
    "Pad axes": one_op(
        "Pad", IMAGE, {"p": ints(1, 2, 3, 4), "a": ints(-1, 2)}, ["x", "p", "", "a"], opset=18
    ),
    "GlobalAveragePool": one_op("GlobalAveragePool", IMAGE),
    "GlobalAveragePool 1-D": one_op("GlobalAveragePool", {"x": (1, 3, 9)}),
    "GlobalMaxPool": one_op("GlobalMaxPool", IMAGE),
    "ReduceMean": one_op("ReduceMean", IMAGE, axes=[2, 3]),
    "ReduceMean drops": one_op("ReduceMean", IMAGE, axes=[-1, -2], keepdims=0),
    "ReduceMean channels": one_op("ReduceMean", IMAGE, axes=[1]),
    "ReduceMean one axis": one_op("ReduceMean", IMAGE, axes=[2], keepdims=0),
    "ReduceMean all": one_op("ReduceMean", IMAGE),
    "ReduceMean operand": one_op("ReduceMean", IMAGE, {"a": ints(2, 3)}, opset=18, keepdims=0),
    "ReduceMean noop": one_op("ReduceMean", IMAGE, opset=18, noop_with_empty_axes=1),
    "Reshape": one_op("Reshape", IMAGE, {"s": ints(0, -1, 2)}),
    "Reshape flat": one_op("Reshape", IMAGE, {"s": ints(1, -1)}),
    "Flatten": one_op("Flatten", IMAGE),
    "Flatten axis 0": one_op("Flatten", IMAGE, axis=0),
    "Squeeze": one_op("Squeeze", {"x": (1, 3, 1, 1)}, {"a": ints(2, -1)}),
    "Unsqueeze": one_op("Unsqueeze", {"x": (1, 3)}, {"a": ints(1, -1)}),
    "Transpose": one_op("Transpose", IMAGE, perm=[0, 2, 1, 3]),
    "Transpose unit batch": one_op("Transpose", {"x": (1, 1, 4)}, perm=[1, 0, 2]),
    "Slice": one_op("Slice", IMAGE, {"s": ints(1), "e": ints(3), "a": ints(2)}),
    "Slice steps": one_op(
        "Slice",
        {"x": (1, 3, 8, 9)},
        {"s": ints(1, -7), "e": ints(2**62, -1), "a": ints(2, -1), "t": ints(2, 3)},
    ),
    "BatchNormalization": one_op(
        "BatchNormalization",
        IMAGE,
        {
            "scale": tensor(1, 3),
            "bias": tensor(2, 3),
            "mean": tensor(3, 3),
            "var": np.abs(tensor(4, 3)) + 0.1,
        },
        epsilon=1e-3,
    ),
    "BatchNormalization flat": one_op(
        "BatchNormalization",
        {"x": (1, 3)},
        {
            "scale": tensor(1, 3),
            "bias": tensor(2, 3),
            "mean": tensor(3, 3),
            "var": np.abs(tensor(4, 3)) + 0.1,
        },
    ),
    "Relu": one_op("Relu", IMAGE),
    "Clip": one_op("Clip", IMAGE, {"lo": np.float32(-0.5), "hi": np.float32(0.25)}),
    "Clip relu6": one_op("Clip", IMAGE, {"lo": np.float32(0), "hi": np.float32(6)}),
    "Clip only max": one_op("Clip", IMAGE, {"hi": np.float32(1)}, ["x", "", "hi"]),
    "Clip infinite": one_op("Clip", IMAGE, {"lo": np.float32(0), "hi": np.float32(np.inf)}),
    "Clip no limits": one_op("Clip", IMAGE),
    "HardSwish": one_op("HardSwish", IMAGE),
    "HardSigmoid": one_op("HardSigmoid", IMAGE),
    "HardSigmoid alpha": one_op("HardSigmoid", IMAGE, alpha=1 / 6, beta=0.5),
    "Sigmoid": one_op("Sigmoid", IMAGE),
    "Tanh": one_op("Tanh", IMAGE),
    "LeakyRelu": one_op("LeakyRelu", IMAGE),
    "LeakyRelu alpha": one_op("LeakyRelu", IMAGE, alpha=0.3),
    "PRelu": one_op("PRelu", IMAGE, {"slope": tensor(7, 3, 1, 1)}),
    "PRelu columns": one_op("PRelu", IMAGE, {"slope": tensor(7, 1)}),
    "PRelu one": one_op("PRelu", IMAGE, {"slope": np.float32([0.2])}),
    "PRelu below": one_op("PRelu", IMAGE, {"slope": np.float32([-0.2])}),
    "Softmax": one_op("Softmax", {"x": (1, 10)}),
    "Softmax channels": one_op("Softmax", IMAGE, axis=1),
    "Softmax middle": one_op("Softmax", {"x": (1, 3, 4)}, axis=-2),
    "Attention": one_op(
        "Attention", {"q": (1, 3, 5, 4), "k": (1, 3, 6, 4), "v": (1, 3, 6, 2)}, opset=23
    ),
    "Attention grouped": one_op(
        "Attention", {"q": (1, 6, 5, 4), "k": (1, 2, 7, 4), "v": (1, 2, 7, 3)}, opset=23
    ),
    "Attention grouped flat": one_op(
        "Attention",
        {"q": (1, 5, 24), "k": (1, 6, 8), "v": (1, 6, 6)},
        opset=23,
        q_num_heads=6,
        kv_num_heads=2,
    ),
    "Attention scale": one_op(
        "Attention", dict.fromkeys("qkv", (1, 2, 5, 4)), opset=23, scale=0.75
    ),
    "Attention flat": one_op(
        "Attention",
        {"q": (1, 5, 12), "k": (1, 6, 12), "v": (1, 6, 6)},
        opset=23,
        q_num_heads=3,
        kv_num_heads=3,
    ),
    "Abs": one_op("Abs", IMAGE),
    "Erf": one_op("Erf", IMAGE),
    "Exp": one_op("Exp", IMAGE),
    "Gelu": one_op("Gelu", IMAGE, opset=20),
    "Gelu tanh": one_op("Gelu", IMAGE, opset=20, approximate="tanh"),
    "Log": chain(("Exp", ["x"], {}), ("Log", ["a"], {})),
    "Neg": one_op("Neg", IMAGE),
    "Sqrt": chain(("Exp", ["x"], {}), ("Sqrt", ["a"], {})),
    "Reciprocal": chain(("Exp", ["x"], {}), ("Reciprocal", ["a"], {})),
    "Pow": one_op("Pow", IMAGE, {"e": np.float32(3)}),
    "Pow integer": one_op("Pow", IMAGE, {"e": np.int64(2)}),
    "Div activations": chain(("Exp", ["x"], {}), ("Div", ["x", "a"], {})),
    "Div one by": chain(("Exp", ["x"], {}), ("Div", ["one", "a"], {}), one=np.float32(1)),
    "CastLike": model(
        [node("CastLike", ["c", "x"], ["like"]), node("Add", ["x", "like"], ["y"])],
        {"x": (1, 3)},
        ["y"],
        {"c": np.array([1, 2, 3])},
    ),
    "CastLike computed": model(
        [node("CastLike", ["x", "z"], ["like"]), node("Add", ["z", "like"], ["y"])],
        {"x": (1, 3), "z": (1, 3)},
        ["y"],
    ),
    "Max two": one_op("Max", {"x": (1, 3, 4, 5), "b": (1, 3, 1, 5)}),
    "Max three": one_op("Max", {"x": (1, 3, 4), "b": (1, 3, 4), "a": (1, 1, 4)}),
    "Max vector": one_op("Max", {"x": (1, 3, 4, 5)}, {"lo": tensor(3, 3, 1, 1)}),
    "Mean": one_op("Mean", {"x": (1, 3, 4), "b": (1, 3, 4), "a": (1, 1, 4)}),
    "Min two": one_op("Min", {"x": (1, 3, 4, 5), "b": (1, 3, 1, 5)}, {"hi": floats(0.5)}),
    "Sum": one_op("Sum", {"x": (1, 3, 4), "b": (1, 3, 1)}, {"c": tensor(3, 4), "d": tensor(5, 4)}),
    "Sum one": one_op("Sum", {"x": (1, 3, 4)}),
    "Max": one_op("Max", IMAGE, {"lo": np.float32(0.25)}),
    "Max first": one_op("Max", IMAGE, {"lo": floats(0.25)}, ["lo", "x"]),
    "Min": one_op("Min", IMAGE, {"hi": np.float32(0.25), "other": np.float32(0.5)}),
    "ReduceSum": one_op("ReduceSum", IMAGE, {"a": ints(2, 3)}, keepdims=0),
    "ReduceSum channels": one_op("ReduceSum", IMAGE, {"a": ints(1)}),
    "ReduceL2": one_op("ReduceL2", IMAGE, axes=[-1]),
    "ReduceL2 operand": one_op("ReduceL2", IMAGE, {"a": ints(1, 2)}, opset=18, keepdims=0),
    "LpNormalization": one_op("LpNormalization", IMAGE, axis=1),
    "LayerNormalization": one_op(
        "LayerNormalization", IMAGE, {"g": tensor(1, 5), "b": tensor(2, 5)}, epsilon=1e-6
    ),
    "LayerNormalization no bias": one_op("LayerNormalization", {"x": (1, 7)}, {"g": tensor(1, 7)}),
    "LayerNormalization axes": one_op(
        "LayerNormalization", IMAGE, {"g": tensor(1, 4, 5), "b": tensor(2, 4, 5)}, axis=2
    ),
    "Expand": chain(
        ("ReduceMean", ["x"], {"axes": [2, 3]}),
        ("Expand", ["a", "s"], {}),
        ("Mul", ["x", "b"], {}),
        s=ints(1, 3, 4, 5),
    ),
    "Expand nothing": one_op("Expand", IMAGE, {"s": ints(3, 1, 1)}),
    "Gather": one_op("Gather", IMAGE, {"i": ints(1, 2)}, axis=-1),
    "Gather one": one_op("Gather", IMAGE, {"i": np.int64(-1)}, axis=1),
    "Gather every second": one_op("Gather", IMAGE, {"i": ints(0, 2, 4)}, axis=3),
    "Gather matrix": one_op("Gather", IMAGE, {"i": ints(0, 1, 2, 3).reshape(2, 2)}, axis=2),
    "Gather in order": one_op("Gather", IMAGE, {"i": ints(0, 1, 2, 3, 4)}, axis=3),
    "MatMul stack": one_op("MatMul", {"x": (1, 3, 5, 6)}, {"w": tensor(1, 3, 6, 4)}),
    "MatMul one for all": one_op("MatMul", {"a": (1, 3, 5, 6), "b": (1, 1, 6, 4)}),
    "MatMul no batch": chain(
        ("Squeeze", ["x", "zero"], {}),
        ("Transpose", ["a"], {"perm": [0, 2, 1]}),
        ("MatMul", ["a", "b"], {}),
        ("Unsqueeze", ["c", "zero"], {}),
        zero=ints(0),
    ),
    "Transpose batch": chain(
        ("Reshape", ["x", "s"], {}),
        ("Transpose", ["a"], {"perm": [2, 0, 1]}),
        ("Gather", ["b", "one"], {}),
        s=ints(1, 20, 3),
        one=np.int64(1),
    ),
    "Softmax no batch": chain(
        ("Squeeze", ["x", "zero"], {}),
        ("Softmax", ["a"], {"axis": 0}),
        ("ReduceMean", ["b"], {"axes": [0]}),
        zero=ints(0),
    ),
    "Concat batch": chain(
        ("Concat", ["x", "x"], {"axis": 0}),
        ("Transpose", ["a"], {"perm": [1, 2, 3, 0]}),
        ("Reshape", ["b", "s"], {}),
        s=ints(1, 3, 4, 10),
    ),
    "Identity": one_op("Identity", IMAGE),
    "Dropout": one_op("Dropout", IMAGE),
    "Cast": one_op("Cast", IMAGE, to=onnx.TensorProto.FLOAT),
}


@pytest.mark.parametrize("case", CONV)
def test_conv(case: str, tmp_path: Path) -> None:
    graph = assert_import_is_exact(CONV[case], tmp_path)
    wanted = Op.DEPTHWISE_CONV_2D if "depthwise" in case else Op.CONV_2D
    assert [op for op in ops(graph) if op is not Op.RESHAPE] == [wanted]


@pytest.mark.parametrize("case", CONV_TRANSPOSE)
def test_conv_transpose(case: str, tmp_path: Path) -> None:
    assert Op.TRANSPOSE not in ops(assert_import_is_exact(CONV_TRANSPOSE[case], tmp_path))


@pytest.mark.parametrize("case", POOL)
def test_max_pool(case: str, tmp_path: Path) -> None:
    shape, attrs = POOL[case]
    graph = assert_import_is_exact(one_op("MaxPool", {"x": shape}, opset=22, **attrs), tmp_path)
    assert Op.MAX_POOL in ops(graph)


@pytest.mark.parametrize("count_include_pad", [0, 1])
@pytest.mark.parametrize("case", POOL)
def test_average_pool(case: str, count_include_pad: int, tmp_path: Path) -> None:
    shape, attrs = POOL[case]
    source = one_op(
        "AveragePool", {"x": shape}, opset=22, count_include_pad=count_include_pad, **attrs
    )
    graph = assert_import_is_exact(source, tmp_path)
    assert (Op.MEAN if case == "whole image" else Op.AVERAGE_POOL) in ops(graph)
    assert (Op.PAD in ops(graph)) == bool(
        count_include_pad and ("pads" in attrs or "auto_pad" in attrs)
    )


@pytest.mark.parametrize("case", RESIZE)
def test_resize(case: str, tmp_path: Path) -> None:
    assert_import_is_exact(RESIZE[case], tmp_path)


@pytest.mark.parametrize("case", OTHERS)
def test_other_ops(case: str, tmp_path: Path) -> None:
    graph = assert_import_is_exact(OTHERS[case], tmp_path)
    if len(OTHERS[case].graph.node) == 1:
        assert all(set(n.sources) <= {"layer", "y"} for n in graph.nodes)


@pytest.mark.parametrize("sizes", [(2, 3, 1), None])
def test_split(sizes: tuple[int, ...] | None, tmp_path: Path) -> None:
    layer = node("Split", ["x", "s"] if sizes else ["x"], ["a", "b", "c"], name="layer", axis=1)
    constants = {"s": ints(*sizes)} if sizes else {}
    source = model([layer], {"x": (1, 6, 4)}, ["a", "b", "c"], constants)
    graph = assert_import_is_exact(source, tmp_path)
    assert [n.name for n in graph.nodes] == ["layer/0", "layer/1", "layer/2"]
    assert all(n.sources == ("layer",) for n in graph.nodes)


def test_uneven_split_by_number_of_parts(tmp_path: Path) -> None:
    layer = node("Split", ["x"], ["a", "b"], axis=-1, num_outputs=2)
    source = model([layer], {"x": (1, 4, 7)}, ["a", "b"], opset=18)
    graph = assert_import_is_exact(source, tmp_path)
    assert graph.tensors["a"].shape == (1, 4, 4)
    assert graph.tensors["b"].shape == (1, 4, 3)
