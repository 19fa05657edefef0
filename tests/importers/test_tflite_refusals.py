"""What cannot be imported gets a sentence: unsound files, and layers by name."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import SHARED
from tests.support.tflite_builder import TfliteBuilder, pack
from tinyflow.errors import MissingExtraError, ModelError, UnsupportedError
from tinyflow.importers.tflite import from_bytes, load
from tinyflow.importers.tflite.handlers import HANDLERS
from tinyflow.ir import QuantParams
from tinyflow.passes import run_passes

Q = QuantParams.per_tensor(0.5, 3)


def _sound(quantized: bool = True) -> bytes:
    """A small model with several operators, constants and options."""
    b = TfliteBuilder()
    kind, quant = ("INT8", Q) if quantized else ("FLOAT32", None)
    x = b.tensor("x", (1, 6, 6, 2), kind, quant, signature=(-1, 6, 6, 2))
    y, z, r = (
        b.tensor(name, shape, kind, quant)
        for name, shape in (("y", (1, 3, 3, 4)), ("z", (1, 36)), ("r", (1, 5)))
    )
    dtype = np.int8 if quantized else np.float32
    scales = QuantParams.per_channel(np.full(4, 0.1, np.float32), 0) if quantized else None
    w = b.constant("w", b.rng.integers(-9, 9, (4, 3, 3, 2)).astype(dtype), scales)
    f = b.constant("f", b.rng.integers(-9, 9, (5, 36)).astype(dtype), Q if quantized else None)
    b.op("CONV_2D", [x, w], [y], "Conv2D", strideH=2, strideW=2, fusedActivationFunction=1)
    b.op("RESHAPE", [y, b.constant("shape", [-1, 36])], [z], "Reshape")
    b.op("FULLY_CONNECTED", [z, f, -1], [r], "FullyConnected")
    if quantized:
        b.graph.tensors[f].quantization.zeroPoint = [0]
    return b.build([x], [r])


def _sentence(data: bytes) -> ModelError | None:
    """None where the file is taken; anything but a sentence fails the test."""
    try:
        run_passes(from_bytes(data, "m", "m.tflite"))
    except ModelError as error:
        assert error.message
        return error
    return None


def test_the_sound_models_are_taken() -> None:
    assert _sentence(_sound()) is None
    assert _sentence(_sound(quantized=False)) is None


@pytest.mark.parametrize("quantized", [True, False])
def test_truncated_at_every_length(quantized: bool) -> None:
    data = _sound(quantized)
    for length in range(0, len(data), 3):
        assert _sentence(data[:length]) is not None, length


def test_a_real_model_truncated() -> None:
    path = SHARED / "mlperf_tiny" / "kws_ref_model.tflite"
    if not path.exists():
        pytest.skip("shared data is absent")
    data = path.read_bytes()
    for length in range(0, len(data), len(data) // 60):
        error = _sentence(data[:length])
        assert error is not None
        assert "m.tflite" in error.message


@settings(max_examples=300)
@given(st.data())
def test_flipped_bytes_never_end_in_a_traceback(data: st.DataObject) -> None:
    damaged = bytearray(_sound(data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    _sentence(bytes(damaged))


@given(st.binary(max_size=400), st.booleans())
def test_random_bytes(noise: bytes, disguised: bool) -> None:
    data = noise[:4] + b"TFL3" + noise[4:] if disguised and len(noise) >= 4 else noise
    assert _sentence(data) is not None


def test_a_file_of_another_kind() -> None:
    with pytest.raises(ModelError, match=r"m\.tflite is not a \.tflite file") as caught:
        from_bytes(b"\x08\x07\x12\x04onnx and so on", "m", "m.tflite")
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.tflite cannot be read"):
        load(tmp_path / "nothing.tflite")


def test_without_the_optional_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("ai_edge_litert"):
            raise ImportError(name)
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match="'tflite'"):
        from_bytes(_sound(), "m")


def _edited(edit: Callable[[Any], None], quantized: bool = True) -> bytes:
    model = schema.ModelT.InitFromPackedBuf(_sound(quantized), 0)
    edit(model)
    return pack(model)


def _tensor(model: Any, name: str) -> Any:
    return next(t for t in model.subgraphs[0].tensors if t.name == name.encode())


def _set_scale(value: float) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        _tensor(model, "y").quantization.scale = [value]

    return edit


def _second_graph(model: Any) -> None:
    model.subgraphs.append(model.subgraphs[0])


def _wrong_index(model: Any) -> None:
    model.subgraphs[0].operators[0].inputs = [99, 0, 0]


def _computed_twice(model: Any) -> None:
    operators = model.subgraphs[0].operators
    operators[1].outputs = operators[0].outputs


def _late(model: Any) -> None:
    model.subgraphs[0].operators.reverse()


def _short_data(model: Any) -> None:
    _tensor(model, "w").shape = [4, 3, 3, 3]


def _no_outputs(model: Any) -> None:
    model.subgraphs[0].outputs = []


def _big_zero_point(model: Any) -> None:
    _tensor(model, "y").quantization.zeroPoint = [300]


def _too_few_scales(model: Any) -> None:
    _tensor(model, "w").quantization.scale = [0.5, 0.5]


UNSOUND = {
    "a scale of NaN": (_set_scale(float("nan")), "'y' has a scale that is not a positive number"),
    "a scale of 0": (_set_scale(0.0), "'y' has a scale that is not a positive number"),
    "a negative scale": (_set_scale(-1.0), "not a positive number"),
    "two graphs": (_second_graph, "the model holds 2 graphs"),
    "a wrong index": (_wrong_index, "CONV_2D reads the absent tensor 99"),
    "computed twice": (_computed_twice, "'y' is computed twice"),
    "wrong order": (_late, "'z' is read before any layer computes it"),
    "missing data": (_short_data, "'w' needs 108 bytes of data and has 72"),
    "no outputs": (_no_outputs, "no outputs"),
    "zero point": (_big_zero_point, "'y' has a zero point outside of int8"),
    "scales": (_too_few_scales, "'w' has 2 scales"),
}


@pytest.mark.parametrize("what", UNSOUND)
def test_unsound_files(what: str) -> None:
    edit, sentence = UNSOUND[what]
    with pytest.raises(ModelError, match=sentence):
        from_bytes(_edited(edit), "m")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(value: float) -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 3)), b.tensor("y", (1, 2))
    weight = np.ones((2, 3), dtype=np.float32)
    weight[1, 1] = value
    b.op("FULLY_CONNECTED", [x, b.constant("dense/w", weight)], [y], "FullyConnected")
    with pytest.raises(ModelError, match="NaN or infinite: 'dense/w'"):
        from_bytes(b.build([x], [y]), "m")


def _pool(signature: tuple[int, ...], shape: tuple[int, ...] = (1, 1, 1, 3)) -> bytes:
    b = TfliteBuilder()
    x = b.tensor("photo", shape, signature=signature)
    y = b.tensor("y", shape)
    b.op("MAX_POOL_2D", [x], [y], "Pool2D", strideH=1, strideW=1, filterHeight=1, filterWidth=1)
    return b.build([x], [y])


def test_open_shapes_must_be_given() -> None:
    with pytest.raises(ModelError, match=r"'photo' has no fixed shape: \?x\?x\?x3") as caught:
        from_bytes(_pool((-1, -1, -1, 3)), "m")
    assert "--shape photo=1xNxNx3" in caught.value.hint


def test_a_batch_other_than_one() -> None:
    with pytest.raises(ModelError, match="first axis, the batch, must be 1"):
        from_bytes(_pool((4, 2, 2, 3), (4, 2, 2, 3)), "m")


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ({"picture": (1, 2, 2, 3)}, "no input 'picture'"),
        ({"photo": (1, 2, 2)}, "does not fit the input 'photo'"),
        ({"photo": (1, 2, 2, 4)}, "does not fit the input 'photo'"),
        ({"photo": (2, 2, 2, 3)}, "does not fit the input 'photo'"),
    ],
)
def test_given_shapes_that_do_not_fit(shapes: dict[str, tuple[int, ...]], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        from_bytes(_pool((-1, -1, -1, 3)), "m", shapes=shapes)


def test_every_obstacle_at_once_by_layer() -> None:
    b = TfliteBuilder()
    x = b.tensor("x", (1, 4, 6))
    lstm, cast, soft, y = (b.tensor(n, (1, 4, 6)) for n in ("lstm", "topk", "softmax", "out"))
    state = b.tensor("state", (1, 6))
    b.op("UNIDIRECTIONAL_SEQUENCE_LSTM", [x, -1, state], [lstm])
    b.op("TOPK_V2", [lstm], [cast])
    b.op("SOFTMAX", [cast], [soft], "Softmax", beta=-1.0)
    b.op("CUSTOM", [soft], [y])
    b.model.operatorCodes[-1].customCode = b"MyLayer"
    with pytest.raises(UnsupportedError) as caught:
        from_bytes(b.build([x], [y]), "m")
    assert [str(o) for o in caught.value.obstacles] == [
        "lstm: TinyFlow does not support UNIDIRECTIONAL_SEQUENCE_LSTM",
        "topk: TinyFlow does not support TOPK_V2",
        "softmax: its beta is -1.0",
        "out: TinyFlow does not support CUSTOM operator 'MyLayer'",
    ]


Case = tuple[str, list[tuple[tuple[int, ...], str]], dict[str, Any]]


def _refused(
    name: str,
    shape: tuple[int, ...] = (1, 4, 4, 2),
    constants: tuple[Any, ...] = (),
    options: str | None = None,
    kind: str = "FLOAT32",
    **fields: Any,
) -> str:
    b = TfliteBuilder()
    quant = Q if kind != "FLOAT32" else None
    x, y = b.tensor("x", shape, kind, quant), b.tensor("layer", shape, kind, quant)
    rest = [b.constant(f"c{i}", c) for i, c in enumerate(constants)]
    b.op(name, [x, *rest], [y], options, **fields)
    with pytest.raises(UnsupportedError) as caught:
        from_bytes(b.build([x], [y]), "m")
    assert {o.layer for o in caught.value.obstacles} <= {"layer", "x"}
    return caught.value.message


def test_element_types() -> None:
    assert "int16" in _refused("TANH", kind="INT16")
    assert "old uint8 quantization" in _refused("TANH", kind="UINT8")
    assert "element type float64" in _refused("TANH", kind="FLOAT64")


@pytest.mark.parametrize(
    "shape, sentence",
    [
        ((1, 1, 4, 2), r"product: it multiplies \[1, 3, 4\] by \[1, 1, 4, 2\]"),
        ((1, 2, 4), r"product: \[1, 3, 4\] does not fit \[1, 2, 4\]"),
    ],
)
def test_matrices_that_do_not_fit(shape: tuple[int, ...], sentence: str) -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 3, 4), "INT8", Q), b.tensor("product", (1, 3, 2), "INT8", Q)
    other = b.tensor("z", shape, "INT8", Q)
    b.op("BATCH_MATMUL", [x, other], [y], "BatchMatMul", adjX=False, adjY=False)
    with pytest.raises(UnsupportedError, match=sentence):
        from_bytes(b.build([x, other], [y]), "m")


def test_int4_weights() -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 4), "INT8", Q), b.tensor("y", (1, 2), "INT8", Q)
    w = b.tensor("w", (2, 4), "INT4", QuantParams.per_tensor(0.5), b"\x12\x34\x56\x78")
    b.op("FULLY_CONNECTED", [x, w], [y], "FullyConnected")
    with pytest.raises(UnsupportedError, match=r"y: it uses int4 \(export it with int8 weights\)"):
        from_bytes(b.build([x], [y]), "m")


def test_a_float_part_inside_an_int8_model() -> None:
    b = TfliteBuilder()
    x, y = b.tensor("x", (1, 4), "INT8", Q), b.tensor("y", (1, 4), "INT8", Q)
    inner, soft = b.tensor("inner", (1, 4)), b.tensor("soft", (1, 4))
    b.op("DEQUANTIZE", [x], [inner])
    b.op("SOFTMAX", [inner], [soft], "Softmax", beta=1.0)
    b.op("QUANTIZE", [soft], [y], "Quantize")
    with pytest.raises(UnsupportedError) as caught:
        from_bytes(b.build([x], [y]), "m")
    assert [o.layer for o in caught.value.obstacles] == ["inner", "y"]


def test_what_operators_cannot_do() -> None:
    conv: dict[str, Any] = {"strideH": 1, "strideW": 1}
    weight = np.ones((2, 1, 1, 2), np.float32)
    cases = [
        (_refused("ADD", constants=(weight[0],), options="Add", fusedActivationFunction=4), "TANH"),
        (_refused("CONV_2D", constants=(weight,), options="Conv2D"), "not positive"),
        (_refused("CONV_2D", constants=(weight,), options="Conv2D", padding=7, **conv), "scheme 7"),
        (_refused("CONV_2D", (1, 4, 4, 3), (weight,), "Conv2D", **conv), "do not fit a weight"),
        (_refused("CONV_2D", constants=(weight,)), "option"),
        (_refused("L2_NORMALIZATION", options="L2Norm", fusedActivationFunction=1), "fused"),
        (_refused("TRANSPOSE", constants=([1, 0, 2, 3],)), "moves the batch axis"),
        (_refused("RESHAPE", constants=([4, 8],)), "no batch axis of 1 in front"),
        (_refused("RESHAPE", constants=([1, 7],)), "cannot be reshaped"),
        (_refused("RESHAPE", constants=([-1, -1],)), "not valid"),
        (_refused("RESHAPE", options="Pool2D"), "no batch axis of 1 in front"),
        (_refused("SQUEEZE", options="Squeeze", squeezeDims=[0]), "no batch axis"),
        (_refused("MEAN", constants=([0],), options="Reducer"), "mean over the axes"),
        (_refused("CONCATENATION", options="Concatenation", axis=0), "cannot be joined"),
        (_refused("PAD", constants=([[0, 0], [0, -1], [0, 0], [0, 0]],)), "negative"),
        (_refused("SLICE", constants=([0, 5, 0, 0], [1, 1, 1, 1])), "outside"),
        (_refused("GATHER", constants=([0],), options="Gather"), "only where its result is"),
        (
            _refused(
                "RESIZE_BILINEAR",
                constants=([8, 8],),
                options="ResizeBilinear",
                alignCorners=True,
                halfPixelCenters=True,
            ),
            "both align_corners",
        ),
        (_refused("DEPTHWISE_CONV_2D", (1, 4), (weight,), "DepthwiseConv2D"), "no images"),
    ]
    for message, sentence in cases:
        assert sentence in message, message


def test_weights_computed_at_run_time() -> None:
    b = TfliteBuilder()
    x, w, y = b.tensor("x", (1, 4)), b.tensor("w", (1, 4)), b.tensor("y", (1, 1))
    b.op("FULLY_CONNECTED", [x, w], [y], "FullyConnected")
    with pytest.raises(UnsupportedError, match="its weight is not constant"):
        from_bytes(b.build([x, w], [y]), "m")


def test_each_handler_states_its_rule() -> None:
    for name, handler in HANDLERS.items():
        assert (handler.__doc__ or "").strip(), name
        assert hasattr(schema.BuiltinOperator, name)
