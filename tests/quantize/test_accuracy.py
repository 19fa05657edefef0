"""Accuracy of real models that must not be lost; the measuring is that of the benchmark."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.accuracy import input_scale_of, load, load_float_graph, main, measure
from tests.support.graphs import GraphBuilder
from tests.support.paths import shared
from tinyflow.data import DataOptions, input_specs
from tinyflow.ir import Op
from tinyflow.ir.serialize import save, to_bytes
from tinyflow.quantize import QuantizeOptions, RangeMethod, quantize_and_record


@pytest.fixture(scope="module")
def keyword_spotting():
    graph = load_float_graph(shared("mlperf_tiny/kws_ref_model_float32.tflite"))
    meaning = input_scale_of(shared("mlperf_tiny/kws_ref_model.tflite"))
    data = load(str(shared("kws01/samples.npz")), input_specs(graph), meaning)
    return graph, data


@pytest.mark.slow
def test_keyword_spotting(keyword_spotting):
    graph, data = keyword_spotting
    done = quantize_and_record(graph, data.head(100).inputs)
    row = measure(graph, done.graph, data, "all")
    assert row.int8_top1 is not None
    assert row.int8_top1.percent >= 90.2
    assert row.agreement.percent >= 98.5
    rest = type(data)({n: a[100:] for n, a in data.inputs.items()}, data.labels[100:], "rest")
    assert measure(graph, done.graph, rest, "rest").agreement.percent >= 98.3


@pytest.mark.slow
@pytest.mark.parametrize("method", [RangeMethod.MINMAX, RangeMethod.PERCENTILE, RangeMethod.MSE])
def test_keyword_spotting_with_one_method_for_all_tensors(keyword_spotting, method):
    graph, data = keyword_spotting
    options = QuantizeOptions(ranges=method, bias_correction=False)
    done = quantize_and_record(graph, data.head(100).inputs, options)
    assert measure(graph, done.graph, data, "all").agreement.percent >= 98.0


@pytest.mark.slow
def test_keyword_spotting_is_quantized_alike_twice(keyword_spotting):
    graph, data = keyword_spotting
    first, second = (quantize_and_record(graph, data.head(40).inputs) for _ in range(2))
    assert to_bytes(first.graph) == to_bytes(second.graph)


@pytest.mark.slow
def test_resnet8():
    graph = load_float_graph(shared("mlperf_tiny/pretrainedResnet.tflite"))
    specs = input_specs(graph)
    pictures = load(f"{shared('cifar10/train_jpeg.npz')}[:300]", specs, DataOptions())
    data = load(str(shared("cifar10/test.npz")), specs, DataOptions())
    options = QuantizeOptions(input_ranges={graph.inputs[0]: (0.0, 255.0)})
    done = quantize_and_record(graph, pictures.inputs, options)
    assert done.graph.tensors[graph.inputs[0]].params.scale == 1.0
    row = measure(graph, done.graph, data, "test")
    assert len(data) == 10000
    assert row.agreement.percent >= 97.7
    assert row.int8_top1 is not None
    assert abs(row.int8_top1.percent - row.float_top1.percent) <= 0.6


def test_the_benchmark_prints_what_it_measured(tmp_path, capsys):
    b = GraphBuilder()
    graph = b.build(b.node(Op.FULLY_CONNECTED, [b.input("x", (1, 6)), b.random("w", (4, 6))]))
    save(graph, tmp_path / "model.tfq")
    x = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    labels = (x @ graph.tensors["w"].value.T).argmax(axis=1)
    np.savez(tmp_path / "data.npz", x=x, y=labels)
    data = str(tmp_path / "data.npz")
    command = [str(tmp_path / "model.tfq"), "--calibration", data + "[:79]", "--data", data]
    assert main([*command, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["float_top1"]["percent"] == 100.0
    assert row["agreement"]["hits"] >= 77
    assert row["logit_sqnr_db"] > 35.0
    assert main(command) == 0
    assert "float top-1" in capsys.readouterr().out


def test_the_benchmark_refuses_wrong_data(tmp_path, capsys):
    b = GraphBuilder()
    graph = b.build(b.node(Op.FULLY_CONNECTED, [b.input("x", (1, 6)), b.random("w", (4, 6))]))
    save(graph, tmp_path / "model.tfq")
    np.savez(tmp_path / "data.npz", x=np.zeros((3, 5), np.float32))
    data = str(tmp_path / "data.npz")
    assert main([str(tmp_path / "model.tfq"), "--calibration", data, "--data", data]) == 1
    assert "error: " in capsys.readouterr().err
