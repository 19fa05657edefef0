"""Data reach a model as it expects them, or a sentence says why not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyflow.data import DataOptions, InputSpec, Preprocess, load_data, random_dataset
from tinyflow.data.load import split_rows
from tinyflow.data.spec import input_specs, source_shape, to_source
from tinyflow.errors import DataError
from tinyflow.ir import DType, Graph, QuantParams, Tensor

FLOAT = (InputSpec("in", (1, 4, 4, 3), (0, 1, 2, 3)),)
NCHW = (InputSpec("in", (1, 3, 4, 5), (0, 2, 3, 1)),)
INT8 = (InputSpec("in", (1, 4, 4, 3), (0, 1, 2, 3), DType.INT8),)


def save(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)
    return str(path)


def graph_of(shape: tuple[int, ...], dtype: DType = DType.FLOAT32) -> Graph:
    quant = QuantParams.per_tensor(0.5, 3) if dtype.is_integer else None
    return Graph("g", (), {"in": Tensor("in", shape, dtype, quant)}, ("in",), ("in",))


def test_rows_are_selected_in_brackets() -> None:
    assert split_rows("a/b.npz[:100]") == ("a/b.npz", slice(None, 100, None))
    assert split_rows("b.npz[100:]") == ("b.npz", slice(100, None, None))
    assert split_rows("m.n:it[2:9:3]") == ("m.n:it", slice(2, 9, 3))
    assert split_rows("plain") == ("plain", slice(None))
    with pytest.raises(DataError, match="step of 0"):
        split_rows("b.npz[::0]")


def test_float_arrays_are_taken_as_they_are(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(6, 4, 4, 3))
    spec = save(tmp_path / "d.npz", x=x, y=np.arange(6, dtype=np.uint8))
    options = DataOptions(Preprocess(mean=(7.0,)))
    data = load_data(f"{spec}[1:4]", FLOAT, options)
    np.testing.assert_array_equal(data.inputs["in"], x[1:4].astype(np.float32))
    assert data.labels is not None
    assert data.labels.tolist() == [1, 2, 3]
    assert len(data) == 3


def test_uint8_arrays_are_pixels_and_are_preprocessed(tmp_path: Path) -> None:
    x = np.full((2, 4, 4, 3), 200, dtype=np.uint8)
    spec = save(tmp_path / "d.npz", x=x)
    options = DataOptions(Preprocess((0.5, 0.25, 0.0), (0.5, 1.0, 2.0), 1 / 255))
    real = load_data(spec, FLOAT, options).inputs["in"]
    expected = (200 / 255 - np.array([0.5, 0.25, 0.0])) / np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(real[1, 2, 3], expected, rtol=1e-6)
    np.testing.assert_array_equal(load_data(spec, INT8).inputs["in"], x.astype(np.float32))


def test_channels_of_the_source_layout_are_preprocessed_and_stored_last(tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)
    spec = save(tmp_path / "d.npz", x=x)
    mean = np.array([1.0, 2.0, 3.0], dtype=np.float32)
    stored = load_data(spec, NCHW, DataOptions(Preprocess(tuple(mean)))).inputs["in"]
    np.testing.assert_array_equal(stored, x.transpose(0, 2, 3, 1).astype(np.float32) - mean)


def test_integers_for_a_float_model_need_a_meaning(tmp_path: Path) -> None:
    x = np.arange(96, dtype=np.int8).reshape(2, 4, 4, 3)
    bare = save(tmp_path / "bare.npz", x=x)
    with pytest.raises(DataError, match="int8, and the model takes real numbers") as caught:
        load_data(bare, FLOAT)
    assert "x_scale" in caught.value.hint
    stated = save(tmp_path / "s.npz", x=x, x_scale=np.float64(0.5), x_zero_point=np.int64(3))
    real = (x.astype(np.float32) - 3) / 2
    np.testing.assert_array_equal(load_data(stated, FLOAT).inputs["in"], real)
    by_option = load_data(bare, FLOAT, DataOptions(x_scale=0.5, x_zero_point=3))
    np.testing.assert_array_equal(by_option.inputs["in"], real)
    with pytest.raises(DataError, match="belong together"):
        DataOptions(x_scale=0.5)
    half = save(tmp_path / "half.npz", x=x, x_scale=np.float64(0.5))
    with pytest.raises(DataError, match="x_scale alone"):
        load_data(half, FLOAT)


def test_codes_of_an_int8_model_stay_codes(tmp_path: Path) -> None:
    x = np.arange(96, dtype=np.int8).reshape(2, 4, 4, 3)
    data = load_data(save(tmp_path / "d.npz", x=x), INT8)
    graph = graph_of((1, 4, 4, 3), DType.INT8)
    assert data.codes(graph)["in"].dtype == np.int8
    np.testing.assert_array_equal(data.codes(graph)["in"], x)
    np.testing.assert_array_equal(data.reals(graph)["in"], (x.astype(np.float32) - 3) / 2)
    wide = save(tmp_path / "w.npz", x=x.astype(np.int32))
    with pytest.raises(DataError, match="int32, the model takes int8"):
        load_data(wide, INT8)


def test_wrong_shapes_name_both_sides(tmp_path: Path) -> None:
    wrong = save(tmp_path / "d.npz", x=np.zeros((2, 5, 4, 3), np.float32))
    with pytest.raises(DataError, match=r"expects .*\[n, 4, 4, 3\].*\[2, 5, 4, 3\]"):
        load_data(wrong, FLOAT)
    swapped = save(tmp_path / "s.npz", x=np.zeros((2, 4, 5, 3), np.float32))
    with pytest.raises(DataError) as caught:
        load_data(swapped, NCHW)
    assert "x.transpose(0, 3, 1, 2)" in caught.value.hint


def test_empty_and_broken_data_are_refused(tmp_path: Path) -> None:
    empty = save(tmp_path / "e.npz", x=np.zeros((0, 4, 4, 3), np.float32))
    with pytest.raises(DataError, match="holds no inputs"):
        load_data(empty, FLOAT)
    nan = save(tmp_path / "n.npz", x=np.full((1, 4, 4, 3), np.nan, np.float32))
    with pytest.raises(DataError, match="NaN or infinity"):
        load_data(nan, FLOAT)
    other = save(tmp_path / "o.npz", images=np.zeros((1, 4, 4, 3), np.float32))
    with pytest.raises(DataError, match="holds the arrays images, the model needs x"):
        load_data(other, FLOAT)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "n.npz").read_bytes()[:60])
    with pytest.raises(DataError, match="not a readable NumPy file"):
        load_data(str(tmp_path / "cut.npz"), FLOAT)
    with pytest.raises(DataError, match="there is no data file"):
        load_data(str(tmp_path / "absent.npz"), FLOAT)
    with pytest.raises(DataError, match="there are no data at"):
        load_data(str(tmp_path / "absent"), FLOAT)
    few = save(tmp_path / "y.npz", x=np.zeros((2, 4, 4, 3), np.float32), y=np.zeros(3, np.int64))
    with pytest.raises(DataError, match="2 inputs but 3 labels"):
        load_data(few, FLOAT)


def test_several_inputs_go_by_name(tmp_path: Path) -> None:
    specs = (InputSpec("a", (1, 2), (0, 1)), InputSpec("b", (1, 3), (0, 1)))
    good = save(tmp_path / "d.npz", a=np.ones((4, 2)), b=np.zeros((4, 3)))
    assert {k: v.shape for k, v in load_data(good, specs).inputs.items()} == {
        "a": (4, 2),
        "b": (4, 3),
    }
    lacking = save(tmp_path / "l.npz", a=np.ones((4, 2)))
    with pytest.raises(DataError, match="the model needs a, b"):
        load_data(lacking, specs)
    uneven = save(tmp_path / "u.npz", a=np.ones((4, 2)), b=np.zeros((3, 3)))
    with pytest.raises(DataError, match="a has 4, b has 3"):
        load_data(uneven, specs)


def picture(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (9, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_pictures_in_class_folders(tmp_path: Path) -> None:
    picture(tmp_path / "dog" / "1.png", (10, 20, 30))
    picture(tmp_path / "cat" / "2.png", (40, 50, 60))
    data = load_data(str(tmp_path), FLOAT)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(data.inputs["in"][0, 0, 0], [40, 50, 60])
    nchw = load_data(f"{tmp_path}[1:]", NCHW)
    np.testing.assert_array_equal(nchw.inputs["in"][0, 3, 4], [10, 20, 30])


def test_the_centre_of_a_picture_is_cut_out(tmp_path: Path) -> None:
    wide = np.zeros((4, 12, 3), dtype=np.uint8)
    wide[:, 4:8] = 255
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert load_data(str(tmp_path), FLOAT).inputs["in"].min() == 255


def test_pictures_with_a_labels_file(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        picture(tmp_path / name, (1, 2, 3))
    labels = tmp_path / "labels.csv"
    labels.write_text("file,label\nb.png,zebra\na.png,ant\n")
    data = load_data(str(tmp_path), FLOAT)
    assert data.labels is not None
    assert data.labels.tolist() == [1, 0]
    labels.write_text("b.png,7\na.png,2\n")
    data = load_data(str(tmp_path), FLOAT)
    assert data.labels is not None
    assert data.labels.tolist() == [7, 2]
    labels.write_text("b.png,7\nmissing.png,2\n")
    with pytest.raises(DataError, match=r"missing\.png"):
        load_data(str(tmp_path), FLOAT)


def test_folders_without_pictures_and_broken_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures"):
        load_data(str(tmp_path), FLOAT)
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"a\.png is not a readable picture"):
        load_data(str(tmp_path), FLOAT)
    with pytest.raises(DataError, match="which is no picture"):
        load_data(str(tmp_path), (InputSpec("in", (1, 10), (0, 1)),))


def test_a_python_iterable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tf_sample_source.py").write_text(
        "import itertools, numpy as np\n"
        "def endless():\n"
        "    for n in itertools.count():\n"
        "        yield np.full((4, 4, 3), float(n)), n % 3\n"
        "nothing = []\n"
        "bad = [np.zeros((4, 4))]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    data = load_data("tf_sample_source:endless[2:6]", FLOAT)
    assert data.labels is not None
    assert data.labels.tolist() == [2, 0, 1, 2]
    assert data.inputs["in"][:, 0, 0, 0].tolist() == [2, 3, 4, 5]
    with pytest.raises(DataError, match="yields no inputs"):
        load_data("tf_sample_source:nothing", FLOAT)
    with pytest.raises(DataError, match=r"expects the shape \[4, 4, 3\]"):
        load_data("tf_sample_source:bad", FLOAT)
    with pytest.raises(DataError, match="cannot be found"):
        load_data("tf_sample_source:absent", FLOAT)


def test_layouts_go_there_and_back() -> None:
    stored = Tensor("in", (1, 4, 5, 3), DType.FLOAT32)
    graph = Graph("g", (), {"in": stored}, ("in",), ("in",), {"in": (0, 2, 3, 1)})
    (spec,) = input_specs(graph)
    assert spec.shape == source_shape(graph, "in") == (1, 3, 4, 5)
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    np.testing.assert_array_equal(to_source(graph, "in", spec.to_stored(x)), x)


def test_random_data_are_reproducible_and_marked() -> None:
    graph = graph_of((1, 4, 4, 3))
    ranges = {"in": (0.0, 1.0)}
    first = random_dataset(graph, input_specs(graph), ranges)
    assert first.random
    assert first.inputs["in"].min() >= 0.0
    assert first.inputs["in"].max() <= 1.0
    assert first.sha256 == random_dataset(graph, input_specs(graph), ranges).sha256
    assert first.sha256 != random_dataset(graph, input_specs(graph)).sha256
    coded = graph_of((1, 4, 4, 3), DType.INT8)
    assert random_dataset(coded, input_specs(coded)).inputs["in"].dtype == np.int8
