"""ONNX models that are quantized already keep their scales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.support.onnx_models import imported, model, node, run_onnx, tensor
from tinyflow.errors import UnsupportedError
from tinyflow.ir import Graph, Op, QuantParams, execute
from tinyflow.passes import run_passes
from tinyflow.quantize import quantize_model, run_reference

quantization = pytest.importorskip("onnxruntime.quantization")

IMAGE = (1, 3, 8, 8)
FINE = 0.02


def float_model() -> onnx.ModelProto:
    """Convolutions, a residual sum, pools, a linear layer and a softmax."""
    weights = {
        "w1": tensor(1, 8, 3, 3, 3, scale=0.2),
        "b1": tensor(2, 8),
        "w2": tensor(3, 8, 1, 3, 3, scale=0.4),
        "b2": tensor(4, 8),
        "w3": tensor(5, 8, 10, scale=0.3),
        "b3": tensor(6, 10),
    }
    layers = [
        node("Conv", ["x", "w1", "b1"], ["a"], name="conv", pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"], name="relu"),
        node("Conv", ["b", "w2", "b2"], ["c"], name="depthwise", pads=[1, 1, 1, 1], group=8),
        node("Add", ["b", "c"], ["d"], name="add"),
        node("MaxPool", ["d"], ["e"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", ["e"], ["f"], name="mean"),
        node("Flatten", ["f"], ["g"], name="flat"),
        node("Gemm", ["g", "w3", "b3"], ["h"], name="linear"),
        node("Softmax", ["h"], ["y"], name="softmax"),
    ]
    return model(layers, {"x": IMAGE}, ["y"], weights)


def images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *IMAGE[1:])).astype(np.float32)


class Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self) -> None:
        self.rest = [{"x": x[None]} for x in images(16)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        return self.rest.pop() if self.rest else None


def quantized(folder: Path, activations: str, **options: Any) -> onnx.ModelProto:
    """The model after onnxruntime's static quantization to the QDQ format."""
    onnx.save(float_model(), folder / "float.onnx")
    quantization.quantize_static(
        folder / "float.onnx",
        folder / "qdq.onnx",
        Calibration(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType[activations],
        weight_type=quantization.QuantType.QInt8,
        **options,
    )
    return onnx.load(folder / "qdq.onnx")


def scales_of(source: onnx.ModelProto) -> dict[str, QuantParams]:
    """By dequantized activation, and input of the model, as int8 parameters."""
    constants = {t.name: numpy_helper.to_array(t) for t in source.graph.initializer}
    found, makers = {}, {layer.output[0]: layer for layer in source.graph.node}
    for layer in source.graph.node:
        if layer.op_type == "DequantizeLinear" and layer.input[0] not in constants:
            scale, zero = (constants[name] for name in layer.input[1:3])
            shift = 128 if zero.dtype == np.uint8 else 0
            before = makers[layer.input[0]].input[0]
            name = before if before in ("x", "y") else layer.output[0]
            found[name] = QuantParams.per_tensor(float(scale), int(zero) - shift)
    return found


def run_quantized(graph: Graph, x: np.ndarray) -> np.ndarray:
    (name,) = graph.inputs
    stored = x.transpose(graph.layouts.get(name, range(x.ndim)))
    codes = graph.tensors[name].params.quantize(stored, graph.tensors[name].dtype)
    outputs = run_reference(graph, {name: codes})
    (output,) = graph.outputs
    return graph.tensors[output].params.dequantize(outputs[output])


@pytest.mark.parametrize("activations", ["QUInt8", "QInt8"])
def test_scales_are_kept(activations: str, tmp_path: Path) -> None:
    source = quantized(tmp_path, activations)
    canonical = run_passes(imported(source, tmp_path))
    graph = quantize_model(canonical, None)
    assert Op.TRANSPOSE not in {n.op for n in graph.nodes}
    wanted = scales_of(source)
    compared = [name for name in wanted if name in graph.tensors]
    assert len(compared) >= 7
    for name in compared:
        if graph.producer(name) is None or graph.producer(name).op is not Op.SOFTMAX:
            assert graph.tensors[name].params == wanted[name], name
    constants = {t.name: numpy_helper.to_array(t) for t in source.graph.initializer}
    for layer, name in (("conv", "w1"), ("depthwise", "w2"), ("linear", "w3")):
        (found,) = (n for n in graph.nodes if layer in n.sources)
        weight = graph.operands(found)[1]
        assert weight.params.scales == tuple(constants[f"{name}_scale"].tolist())
        codes = np.sort(weight.value.reshape(-1))
        np.testing.assert_array_equal(codes, np.sort(constants[f"{name}_quantized"].reshape(-1)))


@pytest.mark.parametrize("activations", ["QUInt8", "QInt8"])
def test_results_are_those_of_onnxruntime(activations: str, tmp_path: Path) -> None:
    source = quantized(tmp_path, activations)
    canonical = run_passes(imported(source, tmp_path))
    graph = quantize_model(canonical, None)
    step = graph.tensors[graph.outputs[0]].params.scale
    x = images(100, seed=1)
    runtime = np.concatenate([run_onnx(source, {"x": one[None]})["y"] for one in x])
    stored = x.transpose(canonical.layouts["x"])
    in_float = execute(canonical, {"x": stored})["y"]
    for found in (in_float, run_quantized(graph, x)):
        off = np.abs(found - runtime) / step
        assert off.max() < 3.1
        assert np.mean(off > 0.5) < 0.2
        assert np.mean(np.argmax(found, 1) == np.argmax(runtime, 1)) >= 0.97


def qdq(x: str, y: str, scale: float, zero: np.ndarray) -> tuple[list[Any], dict[str, Any]]:
    parts = {f"{y}_s": np.float32(scale), f"{y}_z": zero}
    names = [f"{y}_s", f"{y}_z"]
    return [
        node("QuantizeLinear", [x, *names], [f"{y}_q"], name=f"{y}_quantize"),
        node("DequantizeLinear", [f"{y}_q", *names], [y], name=f"{y}_dequantize"),
    ], parts


def test_codes_may_be_moved_between_quantize_and_dequantize(tmp_path: Path) -> None:
    constants = {"s": np.float32(FINE), "z": np.uint8(100), "shape": np.int64([1, 4, 6])}
    layers = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("Reshape", ["q", "shape"], ["r"]),
        node("Transpose", ["r"], ["t"], perm=[0, 2, 1]),
        node("DequantizeLinear", ["t", "s", "z"], ["d"]),
        node("Sigmoid", ["d"], ["y"]),
    ]
    source = model(layers, {"x": (1, 24)}, ["y"], constants)
    graph = imported(source, tmp_path)
    x = {"x": 3 * tensor(1, 1, 24)}
    np.testing.assert_allclose(
        execute(graph, x)["y"], run_onnx(source, x)["y"], rtol=1e-6, atol=1e-6
    )
    assert quantize_model(run_passes(graph), None).tensors["x"].params.zero_point == -28


def qlinear_conv(bias: bool) -> onnx.ModelProto:
    constants = {
        "xs": np.float32(FINE),
        "xz": np.uint8(120),
        "w": np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 3)).astype(np.int8),
        "ws": np.float32([0.01, 0.02, 0.005, 0.03]),
        "wz": np.zeros(4, np.int8),
        "ys": np.float32(0.25),
        "yz": np.uint8(130),
        "b": np.int32([100, -2000, 30, 4]),
    }
    names = ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", *(["b"] if bias else [])]
    layers = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["q"], name="quantize"),
        node("QLinearConv", names, ["c"], name="conv", strides=[2, 2]),
        node("DequantizeLinear", ["c", "ys", "yz"], ["y"], name="dequantize"),
    ]
    return model(layers, {"x": IMAGE}, ["y"], constants)


def qlinear_matmul() -> onnx.ModelProto:
    constants = {
        "xs": np.float32(FINE),
        "xz": np.int8(-3),
        "w": np.random.default_rng(0).integers(-127, 128, (6, 5)).astype(np.int8),
        "ws": np.float32([0.01, 0.02, 0.005, 0.03, 0.01]),
        "wz": np.zeros(5, np.int8),
        "ys": np.float32(0.0625),
        "yz": np.int8(7),
    }
    layers = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["q"], name="quantize"),
        node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["c"], name="matmul"),
        node("DequantizeLinear", ["c", "ys", "yz"], ["y"], name="dequantize"),
    ]
    return model(layers, {"x": (1, 4, 6)}, ["y"], constants)


@pytest.mark.parametrize(
    "source",
    [qlinear_conv(True), qlinear_conv(False), qlinear_matmul()],
    ids=["conv with bias", "conv", "matmul"],
)
def test_integer_operators(source: onnx.ModelProto, tmp_path: Path) -> None:
    graph = quantize_model(run_passes(imported(source, tmp_path)), None)
    shape = tuple(d.dim_value for d in source.graph.input[0].type.tensor_type.shape.dim)
    x = (2 * np.random.default_rng(3).normal(size=shape)).astype(np.float32)
    (output,) = graph.outputs
    found = run_quantized(graph, x)
    if output in graph.layouts:
        found = found.transpose(np.argsort(graph.layouts[output]))
    step = graph.tensors[output].params.scale
    off = np.abs(found - run_onnx(source, {"x": x})["y"]) / step
    assert off.max() < 1.1
    assert np.mean(off > 0.5) < 0.05


def refused(source: onnx.ModelProto, folder: Path) -> str:
    with pytest.raises(UnsupportedError) as caught:
        imported(source, folder)
    return "; ".join(f"{o.layer}: {o.reason} ({o.remedy})" for o in caught.value.obstacles)


def test_activations_of_16_bits_are_refused(tmp_path: Path) -> None:
    layers, constants = qdq("x", "y", FINE, np.int16(0))
    text = refused(model(layers, {"x": (1, 8)}, ["y"], constants, opset=21), tmp_path)
    assert "y_quantize: it quantizes an activation to int16" in text


def test_scales_per_channel_of_an_activation_are_refused(tmp_path: Path) -> None:
    constants = {"s": np.float32([0.1] * 8), "z": np.zeros(8, np.int8)}
    layers = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"], name="quantize", axis=1),
        node("DequantizeLinear", ["q", "s", "z"], ["y"], name="dequantize", axis=1),
    ]
    text = refused(model(layers, {"x": (1, 8)}, ["y"], constants), tmp_path)
    assert "quantize: it quantizes an activation with 8 scales" in text


def test_dequantizing_with_another_scale_is_refused(tmp_path: Path) -> None:
    layers, constants = qdq("x", "y", FINE, np.int8(0))
    layers[1].input[1] = "other"
    constants["other"] = np.float32(2 * FINE)
    text = refused(model(layers, {"x": (1, 8)}, ["y"], constants), tmp_path)
    assert "y_dequantize: DequantizeLinear reads codes of scale 0.04" in text


def test_arithmetic_on_codes_is_refused(tmp_path: Path) -> None:
    constants = {"s": np.float32(FINE), "z": np.int8(0), "b": np.int8([3])}
    layers = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"], name="quantize"),
        node("Add", ["q", "b"], ["a"], name="add"),
        node("DequantizeLinear", ["a", "s", "z"], ["y"], name="dequantize"),
    ]
    text = refused(model(layers, {"x": (1, 8)}, ["y"], constants), tmp_path)
    assert "add: Add computes with the codes of a quantized tensor" in text


def test_a_weight_with_a_zero_point_is_refused(tmp_path: Path) -> None:
    source = qlinear_matmul()
    for initializer in source.graph.initializer:
        if initializer.name == "wz":
            initializer.CopyFrom(numpy_helper.from_array(np.int8([0, 0, 9, 0, 0]), "wz"))
    text = refused(source, tmp_path)
    assert "matmul: its weight is quantized with the zero point 9" in text
    assert "symmetrically" in text


def test_scales_from_the_running_model_are_refused(tmp_path: Path) -> None:
    layers = [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"], name="dynamic"),
        node("DequantizeLinear", ["q", "s", "z"], ["y"], name="dequantize"),
    ]
    text = refused(model(layers, {"x": (1, 8)}, ["y"]), tmp_path)
    assert "dynamic: its scale is computed while the model runs" in text
