"""The parity ladder: every rung of a sound bundle, and rungs that someone sawed at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.digits import MODEL, TEST, digits_bundle
from tests.support.paths import shared
from tests.support.random_graphs import random_graph, random_inputs
from tinyflow.bundle import Bundle, read_bundle
from tinyflow.cli.main import main
from tinyflow.codegen.tflite import write_tflite
from tinyflow.data import Dataset
from tinyflow.errors import ToolError
from tinyflow.ir import Clamp, Graph, GraphEditor, Op
from tinyflow.progress import SILENT
from tinyflow.quantize import run_reference
from tinyflow.report import read_report
from tinyflow.verify.engines import ENGINES, Engine, LitertReference, TfliteMicro
from tinyflow.verify.inference import bundle_dataset
from tinyflow.verify.ladder import Outcome
from tinyflow.verify.ladder.cut import cut_graph
from tinyflow.verify.ladder.exported import exported_rung
from tinyflow.verify.ladder.floats import FloatModel, float_rungs

DATA = f"{TEST}[:40]"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    folder = tmp_path / "bundle"
    shutil.copytree(digits_bundle().path, folder)
    return read_bundle(folder)


def climb(bundle: Bundle, *arguments: str) -> int:
    return main(["verify", str(bundle.path), "--ladder", "--data", DATA, *arguments])


def test_every_rung_of_a_sound_bundle(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert climb(bundle, "--model", str(MODEL), "--json") == 0
    rungs = json.loads(capsys.readouterr().out)
    assert [rung["rung"].split()[0] for rung in rungs] == [
        "float", "float", "integer", "host", "qemu", "tflite-micro", "LiteRT",
    ]  # fmt: skip
    assert rungs[0]["against"].startswith("onnxruntime")
    found = [rung["outcome"] for rung in rungs]
    assert found[:2] in (["close", "close"], ["equal", "close"], ["close", "equal"])
    assert found[2:6] == ["quantized", "equal", "equal", "equal"]
    assert found[6] in ("equal", "explained")
    graph = bundle.graph
    assert [rung["inputs"] for rung in rungs] == [40] * 7
    assert rungs[5]["tensors_compared"] == len(graph.nodes)
    assert rungs[0]["tensors_compared"] > 5
    for difference in rungs[6]["differences"]:
        assert difference["op"] == "FULLY_CONNECTED"
        assert difference["amount"] == 1
        assert "floating point" in difference["explanation"]
    assert read_report(bundle.path)["ladder"] == rungs
    assert "Parity ladder" in (bundle.path / "report.html").read_text()


def test_a_wrong_weight_in_the_c_code_is_found_at_its_layer(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = bundle.graph
    second = [n for n in graph.nodes if n.op in (Op.CONV_2D, Op.DEPTHWISE_CONV_2D)][1]
    damaged = with_constant(graph, second.inputs[1], lambda w: np.where(w > 0, w - 1, w))
    other = replace_graph(bundle, damaged)
    assert climb(other) == 1
    text = capsys.readouterr().out
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert f"'{second.name}'" in lines["host"]
    assert "differs" in lines["host"]
    assert f"'{second.name}'" in lines["qemu"]
    assert " equal " in lines["tflite-micro"]


def replace_graph(bundle: Bundle, graph: Graph) -> Bundle:
    """The bundle with another reference than the one its C was made from."""
    from tinyflow.bundle import write_files
    from tinyflow.ir.serialize import to_bytes

    write_files(bundle.path, {"model.tfq": to_bytes(graph)})
    manifest = json.loads((bundle.path / "manifest.json").read_text())
    import hashlib

    manifest["files"]["model.tfq"] = hashlib.sha256(to_bytes(graph)).hexdigest()
    write_files(bundle.path, {"manifest.json": json.dumps(manifest).encode()})
    return read_bundle(bundle.path)


def with_constant(graph: Graph, name: str, change: Callable[[np.ndarray], np.ndarray]) -> Graph:
    tensor = graph.tensors[name]
    data = change(tensor.value).astype(tensor.value.dtype)
    return replace(graph, tensors={**graph.tensors, name: replace(tensor, data=data)})


def test_another_model_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    model = tmp_path / "other.onnx"
    model.write_bytes(MODEL.read_bytes() + b"\x00" * 0)
    import onnx

    other = onnx.load(model)
    other.producer_name = "somebody else"
    onnx.save(other, model)
    assert climb(bundle, "--model", str(model)) == 2
    assert main(["verify", str(bundle.path), "--model", str(MODEL)]) == 2


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.title)
def test_cuts_hide_nothing(engine: Engine, bundle: Bundle) -> None:
    """A runtime that computes another layer than the reference is found there, and only there."""
    data = bundle_dataset(bundle, DATA, None)

    class Sawn(type(engine)):  # type: ignore[misc]
        def run(self, file, graph, inputs, names):  # type: ignore[no-untyped-def]
            found = super().run(file, graph, inputs, names)
            target = names[1]
            found[target] = found[target].copy()
            found[target].flat[3] ^= 4
            return found

    sound = exported_rung(engine, bundle.graph, data, SILENT)
    assert sound.outcome in (Outcome.EQUAL, Outcome.EXPLAINED)
    rung = exported_rung(Sawn(), bundle.graph, data, SILENT)
    assert rung.outcome is Outcome.DIFFERS
    first = rung.first
    assert first is not None
    assert first.layer == bundle.graph.nodes[1].name
    assert (first.elements, first.amount) == (1, 4)


def test_the_known_deviation_of_litert_is_real_and_stays_where_it_is() -> None:
    """Were the cut not there, layers behind a fully connected one would differ too."""
    graph = digits_bundle().graph
    layers = [n for n in graph.nodes if n.op is Op.FULLY_CONNECTED]
    generator = np.random.default_rng(5)
    shape = (400, *graph.tensors[graph.inputs[0]].shape[1:])
    codes = {graph.inputs[0]: generator.integers(-128, 128, shape, dtype=np.int8)}
    data = Dataset(codes, None, "noise", random=True)
    rung = exported_rung(LitertReference(), graph, data, SILENT)
    assert rung.outcome in (Outcome.EQUAL, Outcome.EXPLAINED)
    assert {d.layer for d in rung.differences} <= {n.name for n in layers}
    assert exported_rung(TfliteMicro(), graph, data, SILENT).outcome is Outcome.EQUAL


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.title)
def test_a_file_that_a_runtime_refuses(engine: Engine) -> None:
    """Both lack the custom operator."""
    graph = random_graph(1, (Op.LAYER_NORM,), 1)
    file = write_tflite(graph)
    with pytest.raises(ToolError, match="refuses the model"):
        engine.run(file, graph, random_inputs(graph, 1), list(graph.outputs))


def test_cut_graph_takes_what_it_leaves_out() -> None:
    graph = digits_bundle().graph
    nodes = graph.nodes
    cut = cut_graph(graph, without=[nodes[1].name], after=[nodes[3].name])
    assert set(cut.graph.inputs) == {graph.inputs[0], nodes[1].output, nodes[3].output}
    assert list(cut.results.values()) == [n.output for n in nodes if n is not nodes[1]]
    generator = np.random.default_rng(1)
    shape = (2, *graph.tensors[graph.inputs[0]].shape[1:])
    inputs = {graph.inputs[0]: generator.integers(-128, 128, shape, dtype=np.int8)}
    expected: dict[str, np.ndarray] = dict(inputs)
    run_reference(graph, inputs, expected.__setitem__)
    given = {name: expected[name] for name in cut.graph.inputs}
    # Other values behind the cut change what follows, but not the node in front of it.
    given[nodes[3].output] = given[nodes[3].output] ^ 1
    found: dict[str, np.ndarray] = {}
    run_reference(cut.graph, given, found.__setitem__)
    computed = {cut.results[name]: array for name, array in found.items() if name in cut.results}
    np.testing.assert_array_equal(computed[nodes[3].output], expected[nodes[3].output])
    np.testing.assert_array_equal(computed[nodes[2].output], expected[nodes[2].output])
    assert (computed[nodes[4].output] != expected[nodes[4].output]).any()


def test_a_pass_that_changes_the_function_is_found(bundle: Bundle) -> None:
    from tinyflow.pipeline.ladder import float_model
    from tinyflow.project import make_options

    options = make_options({"model": str(MODEL), "target": "cortex-m4"}, "verify")
    source = float_model(bundle, options, SILENT)
    assert source is not None
    data = bundle_dataset(bundle, DATA, 8)
    rungs = float_rungs(source, bundle.graph, data, SILENT)
    assert not any(rung.failed for rung in rungs)
    editor = GraphEditor(source.canonical)
    conv = next(n for n in editor.nodes if n.op is Op.CONV_2D)
    editor.replace_node(conv, replace(conv, attrs=replace(conv.attrs, clamp=Clamp(0.0, 0.1))))
    wrong = FloatModel(source.runtime, source.imported, editor.build())
    outcomes = [rung.outcome for rung in float_rungs(wrong, bundle.graph, data, SILENT)]
    assert outcomes[0] is Outcome.CLOSE
    assert outcomes[1] is Outcome.DIFFERS


def test_hybrid_kernels_explain_a_difference() -> None:
    """A float file with weights in int8, which LiteRT does not compute as it states."""
    from tinyflow.verify.sources import open_source

    hybrid = shared("mlperf_tiny/kws_ref_model_float32.tflite")
    assert "hybrid" in open_source(hybrid).deviation
    assert open_source(shared("mlperf_tiny/pretrainedResnet.tflite")).deviation == ""
