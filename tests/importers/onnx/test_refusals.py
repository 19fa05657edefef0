"""Files and layers that cannot be compiled get a sentence, all layers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.support.onnx_models import imported, model, node, one_op, tensor
from tinyflow.errors import ModelError, TinyflowError, UnsupportedError, UsageError
from tinyflow.importers import load_model
from tinyflow.ir import DType, serialize


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def small_cnn(batch: int | str = 1, size: int | str = 8) -> onnx.ModelProto:
    return model(
        [node("Conv", ["x", "w"], ["a"]), node("Relu", ["a"], ["y"])],
        {"x": [batch, 3, size, size]},
        ["y"],
        {"w": tensor(0, 4, 3, 3, 3)},
    )


def saved(source: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    onnx.save(source, path)
    return path


# Files.


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"suffix '\.pb'") as caught:
        load_model(tmp_path / "model.pb")
    assert ".onnx" in caught.value.hint
    assert ".tflite" in caught.value.hint


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model file"):
        load_model(tmp_path / "model.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match="is not a file"):
        load_model(tmp_path / "folder.onnx")


def test_truncated_file(tmp_path: Path) -> None:
    path = saved(small_cnn(), tmp_path)
    data = path.read_bytes()
    for length in (0, 1, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ModelError):
            load_model(path)


@given(st.binary(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "random.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError):
        load_model(path)


@given(st.data())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_changed_bytes_never_end_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(small_cnn().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "changed.onnx"
    path.write_bytes(content)
    try:
        load_model(path)
    except TinyflowError as error:
        assert error.message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(value: float, tmp_path: Path) -> None:
    weight = tensor(0, 4, 3, 3, 3)
    weight[1, 2, 0, 1] = value
    source = one_op("Conv", {"x": (1, 3, 8, 8)}, {"w": weight})
    with pytest.raises(ModelError, match="NaN or infinite: 'w' of layer 'layer'"):
        imported(source, tmp_path)


def test_layer_of_wrong_shapes(tmp_path: Path) -> None:
    source = one_op("Conv", {"x": (1, 5, 8, 8)}, {"w": tensor(0, 4, 3, 3, 3)})
    with pytest.raises(ModelError, match="model"):
        imported(source, tmp_path)


def test_external_data(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(small_cnn(), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert load_model(path).parameters == 4 * 3 * 3 * 3
    (tmp_path / "w.bin").unlink()
    with pytest.raises(ModelError, match="cannot be read") as caught:
        load_model(path)
    assert "external data" in caught.value.hint


# Input shapes.


def test_open_shape(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'x' is \[N, 3, H, H\]") as caught:
        imported(small_cnn("N", "H"), tmp_path)
    assert "--shape x=1x3x224x224" in caught.value.hint


def test_open_batch(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="leaves input shapes open") as caught:
        imported(small_cnn("N"), tmp_path)
    assert "--shape x=1x3x8x8" in caught.value.hint


def test_shape_fixes_what_is_open(tmp_path: Path) -> None:
    graph = load_model(saved(small_cnn("N", "H"), tmp_path), {"x": (1, 3, 16, 16)})
    assert graph.tensors["x"].shape == (1, 3, 16, 16)
    assert graph.tensors["y"].shape == (1, 4, 14, 14)


def test_shape_replaces_a_fixed_one(tmp_path: Path) -> None:
    graph = load_model(saved(small_cnn(4), tmp_path), {"x": (1, 3, 10, 10)})
    assert graph.tensors["y"].shape == (1, 4, 8, 8)


def test_fixed_batch_of_more_than_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a batch of 1") as caught:
        imported(small_cnn(4), tmp_path)
    assert "--shape x=1x3x8x8" in caught.value.hint


def test_shape_of_an_unknown_input(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no input 'image'") as caught:
        load_model(saved(small_cnn(), tmp_path), {"image": (1, 3, 8, 8)})
    assert "'x'" in caught.value.hint


def test_shape_of_another_rank(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 3 axes; the input 'x'"):
        load_model(saved(small_cnn(), tmp_path), {"x": (3, 8, 8)})


def test_shape_that_the_layers_cannot_take(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a_layer: 4 input channels"):
        load_model(saved(small_cnn(), tmp_path), {"x": (1, 4, 8, 8)})


def test_integer_input(tmp_path: Path) -> None:
    source = one_op("Cast", {"x": (1, 3)}, to=TensorProto.FLOAT)
    source.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    with pytest.raises(ModelError, match=r"'x' of .* is uint8"):
        imported(source, tmp_path)


def test_output_that_is_constant(tmp_path: Path) -> None:
    source = model(
        [node("Relu", ["x"], ["y"]), node("Relu", ["c"], ["z"])],
        {"x": (1, 3)},
        ["y", "z"],
        {"c": tensor(0, 1, 3)},
    )
    with pytest.raises(ModelError, match="'z' does not depend"):
        imported(source, tmp_path)


# Layers.


def refused(source: onnx.ModelProto, folder: Path) -> UnsupportedError:
    with pytest.raises(UnsupportedError) as caught:
        imported(source, folder)
    return caught.value


def test_all_layers_at_once_by_name(tmp_path: Path) -> None:
    source = model(
        [
            node("Bernoulli", ["x"], ["a"], name="first"),
            node("Relu", ["a"], ["b"], name="fine"),
            node("Conv", ["b", "w"], ["c"], name="groups"),
            node("Pad", ["c", "p", "v"], ["d"], name="endless"),
            helper.make_node("Det", ["d"], ["y"]),
        ],
        {"x": (1, 3, 8, 8)},
        ["y"],
        {
            "w": tensor(0, 4, 3, 3, 3),
            "p": ints(0, 0, 1, 1, 0, 0, 1, 1),
            "v": np.array(np.inf, np.float32),
        },
    )
    error = refused(source, tmp_path)
    assert [o.layer for o in error.obstacles] == ["first", "endless", "y"]
    assert "the result of Bernoulli is random" in error.message
    assert "Pad with inf" in error.message


@pytest.mark.parametrize("op", ["LSTM", "GRU"])
def test_recurrent_layers(op: str, tmp_path: Path) -> None:
    gates = {"LSTM": 4, "GRU": 3}[op]
    constants = {"w": tensor(0, 1, gates * 5, 3), "r": tensor(1, 1, gates * 5, 5)}
    error = refused(one_op(op, {"x": (1, 1, 3)}, constants, hidden_size=5), tmp_path)
    assert error.obstacles[0].layer == "layer"
    assert f"{op} is a recurrent layer" in error.message


def test_quantized_model(tmp_path: Path) -> None:
    """Operators that compute with codes; the QDQ format is for `test_quantized`."""
    constants = {"s": np.float32(0.1), "z": np.int8(0)}
    codes = ["q", "s", "z"]
    add = node("QLinearAdd", [*codes, *codes, "s", "z"], ["a"], name="add", domain="com.microsoft")
    source = model(
        [
            node("QuantizeLinear", ["x", "s", "z"], ["q"], name="quantize"),
            add,
            node("DequantizeLinear", ["a", "s", "z"], ["y"], name="dequantize"),
        ],
        {"x": (1, 3)},
        ["y"],
        constants,
    )
    source.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    error = refused(source, tmp_path)
    assert error.obstacles[0].layer == "add"
    assert "QLinearAdd computes with codes" in error.obstacles[0].reason
    assert "QDQ format" in error.obstacles[0].remedy


def test_attention_within_a_window(tmp_path: Path) -> None:
    shapes = dict.fromkeys("qkv", (1, 2, 4, 8))
    source = one_op("Attention", shapes, opset=25, right_window_size=2)
    (obstacle,) = refused(source, tmp_path).obstacles
    assert "a window of tokens" in obstacle.reason


def test_op_of_another_domain(tmp_path: Path) -> None:
    source = one_op("Relu", {"x": (1, 3)})
    source.graph.node[0].op_type = "FusedConv"
    source.graph.node[0].domain = "com.example"
    source.opset_import.append(helper.make_opsetid("com.example", 1))
    source.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3]))
    assert "com.example.FusedConv is not supported" in refused(source, tmp_path).message


def test_op_of_an_optimizer(tmp_path: Path) -> None:
    source = one_op("Attention", {"x": (1, 4, 6)}, {"w": tensor(0, 6, 18)}, num_heads=2)
    source.graph.node[0].domain = "com.microsoft"
    source.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    shape = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6])
    source.graph.output[0].CopyFrom(shape)
    (obstacle,) = refused(source, tmp_path).obstacles
    assert "com.microsoft.Attention is an operation that an optimizer has made" in obstacle.reason
    assert "as it was exported" in obstacle.remedy


def test_branches(tmp_path: Path) -> None:
    def branch(op: str) -> onnx.GraphProto:
        out = helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 3])
        return helper.make_graph([helper.make_node(op, ["x"], ["r"])], "g", [], [out])

    layers = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Greater", ["m", "c"], ["b"]),
        node("If", ["b"], ["y"], then_branch=branch("Relu"), else_branch=branch("Tanh")),
    ]
    source = model(layers, {"x": (1, 3)}, ["y"], {"c": np.float32(0)})
    message = refused(source, tmp_path).message
    assert "If branches while the model runs" in message
    assert "Greater has true and false as its results" in message


def bn(**attrs: Any) -> onnx.ModelProto:
    names = ("scale", "bias", "mean", "var")
    constants = {n: np.ones(3, np.float32) for n in names}
    if attrs.pop("negative", False):
        constants["var"] = -constants["var"]
    return one_op("BatchNormalization", {"x": (1, 3, 4, 4)}, constants, **attrs)


IMAGE = {"x": (1, 3, 4, 6)}


def cast_and_back() -> onnx.ModelProto:
    layers = [
        node("Cast", ["x"], ["i"], name="layer", to=TensorProto.INT32),
        node("Cast", ["i"], ["y"], to=TensorProto.FLOAT),
    ]
    return model(layers, IMAGE, ["y"])


REFUSED: dict[str, tuple[onnx.ModelProto, str]] = {
    "3-D convolution": (
        one_op("Conv", {"x": (1, 3, 4, 4, 4)}, {"w": tensor(0, 2, 3, 3, 3, 3)}),
        "over 3 image axes",
    ),
    "computed weight": (
        one_op("Conv", {"x": (1, 3, 4, 4), "w": (1, 3, 2, 2)}),
        "weight of Conv is computed",
    ),
    "grouped transposed convolution": (
        one_op("ConvTranspose", {"x": (1, 4, 4, 4)}, {"w": tensor(0, 4, 1, 2, 2)}, group=2),
        "in groups",
    ),
    "dilated transposed convolution": (
        one_op("ConvTranspose", IMAGE, {"w": tensor(0, 3, 2, 2, 2)}, dilations=[2, 2]),
        "with dilation",
    ),
    "division by zero": (one_op("Div", IMAGE, {"c": np.zeros((), np.float32)}), "holds zero"),
    "batch is squeezed": (one_op("Squeeze", {"x": (1, 3)}), "no batch axis"),
    "batch is moved": (one_op("Transpose", {"x": (1, 3, 4)}), "no batch axis"),
    "batch is joined": (one_op("Reshape", IMAGE, {"s": ints(3, -1)}), "no batch axis"),
    "padding with infinity": (
        one_op("Pad", IMAGE, {"p": ints(0, 0, 1, 1, 0, 0, 1, 1), "v": np.float32(-np.inf)}),
        "Pad with -inf",
    ),
    "cubic": (
        one_op(
            "Resize",
            IMAGE,
            {"s": np.array([1, 1, 2, 2], np.float32)},
            ["x", "", "s"],
            mode="cubic",
        ),
        "mode 'cubic'",
    ),
    "unusual coordinates": (
        one_op(
            "Resize",
            IMAGE,
            {"s": ints(1, 3, 5, 7)},
            ["x", "", "", "s"],
            nearest_mode="ceil",
            coordinate_transformation_mode="asymmetric",
        ),
        "asymmetric and ceil",
    ),
    "training": (bn(training_mode=0, negative=True), "variance"),
    "cast": (cast_and_back(), "Cast to int32"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_settings(case: str, tmp_path: Path) -> None:
    source, reason = REFUSED[case]
    error = refused(source, tmp_path)
    assert [o.layer for o in error.obstacles] == ["layer"]
    assert reason in error.message


def test_training_mode(tmp_path: Path) -> None:
    source = bn(training_mode=1)
    source.graph.node[0].output.extend(["m", "v"])
    assert "eval()" in refused(source, tmp_path).message


def test_chains_of_shapes_are_computed(tmp_path: Path) -> None:
    layers = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Unsqueeze", ["n", "zeros"], ["n1"]),
        node("Concat", ["n1", "minus"], ["shape"], axis=0),
        node("Reshape", ["x", "shape"], ["y"]),
    ]
    constants = {"zero": np.array(0), "zeros": ints(0), "minus": ints(-1)}
    source = model(layers, {"x": (1, 3, 4, 4)}, ["y"], constants)
    assert imported(source, tmp_path).tensors["y"].shape == (1, 48)


def test_without_onnxsim_constants_are_still_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxsim

    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no way")

    monkeypatch.setattr(onnxsim, "simplify", fails)
    test_chains_of_shapes_are_computed(tmp_path)


def test_names_of_unnamed_and_equal_layers(tmp_path: Path) -> None:
    layers = [
        helper.make_node("Relu", ["x"], ["a"]),
        node("Tanh", ["a"], ["b"], name="same"),
        node("Sigmoid", ["b"], ["y"], name="same"),
    ]
    graph = imported(model(layers, {"x": (1, 3)}, ["y"]), tmp_path)
    assert [n.name for n in graph.nodes] == ["a", "same", "same_1"]
    assert [n.sources for n in graph.nodes] == [("a",), ("same",), ("same",)]


def test_weights_that_are_listed_as_inputs(tmp_path: Path) -> None:
    source = small_cnn()
    weight = source.graph.initializer[0]
    shape = numpy_helper.to_array(weight).shape
    source.graph.input.append(
        helper.make_tensor_value_info(weight.name, TensorProto.FLOAT, list(shape))
    )
    assert imported(source, tmp_path).inputs == ("x",)


def test_half_precision_is_imported_as_float32(tmp_path: Path) -> None:
    source = one_op("Conv", {"x": (1, 3, 8, 8)}, {"w": tensor(0, 4, 3, 3, 3).astype(np.float16)})
    for value in (*source.graph.input, *source.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    graph = imported(source, tmp_path)
    assert {t.dtype for t in graph.tensors.values()} == {DType.FLOAT32}


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to results."""
    test_all_layers_at_once_by_name(tmp_path)
    test_chains_of_shapes_are_computed(tmp_path)
    assert capfd.readouterr().out == ""


def test_shapes_of_a_quantized_graph_are_fixed(tmp_path: Path) -> None:
    graph = imported(one_op("Relu", {"x": (1, 3)}), tmp_path)
    path = tmp_path / "model.tfq"
    serialize.save(graph, path)
    assert load_model(path).outputs == graph.outputs
    with pytest.raises(UsageError, match=r"shapes of .* are fixed"):
        load_model(path, {"x": (1, 4)})
