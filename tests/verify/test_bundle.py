"""Bundles on this computer: run, compared, and found out when they are wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.digits import TEST, digits_bundle
from tinyflow.bundle import Bundle, read_bundle
from tinyflow.cli.main import main
from tinyflow.data.spec import to_source
from tinyflow.errors import BundleError, DataError, VerifyError
from tinyflow.quantize import run_reference
from tinyflow.verify import load_inputs, run_bundle, save_outputs, verify_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    folder = tmp_path / "bundle"
    shutil.copytree(digits_bundle().path, folder)
    return read_bundle(folder)


def pixels() -> np.ndarray:
    return np.load(TEST)["x"][:6]


def expected(bundle: Bundle, real: np.ndarray) -> np.ndarray:
    """Codes of the output for real inputs in the source layout."""
    graph = bundle.graph
    (name,) = graph.inputs
    stored = real.transpose(graph.layouts.get(name, (0, 1, 2, 3)))
    tensor = graph.tensors[name]
    codes = tensor.params.quantize(stored, tensor.dtype)
    return run_reference(graph, {name: codes})[graph.outputs[0]]


def test_run_takes_real_numbers_and_gives_real_numbers(bundle: Bundle, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels())
    files = ["--inputs", str(tmp_path / "x.npy"), "--outputs", str(tmp_path / "y.npy")]
    assert main(["run", str(bundle.path), "--on", "host", *files]) == 0
    output = np.load(tmp_path / "y.npy")
    (name,) = bundle.graph.outputs
    params = bundle.graph.tensors[name].params
    assert output.dtype == np.float32
    np.testing.assert_array_equal(output, params.dequantize(expected(bundle, pixels())))


def test_run_raw_takes_codes_and_gives_codes(bundle: Bundle, tmp_path: Path) -> None:
    graph = bundle.graph
    tensor = graph.tensors[graph.inputs[0]]
    codes = tensor.params.quantize(pixels(), tensor.dtype)
    np.savez(tmp_path / "x.npz", **{graph.inputs[0]: codes})
    files = ["--inputs", str(tmp_path / "x.npz"), "--outputs", str(tmp_path / "y.npz")]
    assert main(["run", str(bundle.path), "--raw", *files]) == 0
    output = np.load(tmp_path / "y.npz")[graph.outputs[0]]
    assert output.dtype == np.int8
    np.testing.assert_array_equal(output, expected(bundle, pixels()))
    np.save(tmp_path / "wide.npy", codes.astype(np.int32))
    with pytest.raises(DataError, match="--raw takes int8"):
        load_inputs(bundle, tmp_path / "wide.npy", raw=True)


def test_run_refuses_what_does_not_fit(bundle: Bundle, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels()[:, :, :4])
    with pytest.raises(DataError, match=r"\[n, 1, 8, 8\]"):
        load_inputs(bundle, tmp_path / "x.npy")
    with pytest.raises(DataError, match="there is no file"):
        load_inputs(bundle, tmp_path / "absent.npy")
    np.save(tmp_path / "codes.npy", pixels().astype(np.int8))
    with pytest.raises(DataError, match="takes real numbers"):
        load_inputs(bundle, tmp_path / "codes.npy")


def test_damaged_bundles_are_named(bundle: Bundle) -> None:
    (bundle.path / "test_vectors" / "input_0.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(BundleError, match=r"input_0\.npy of .* is damaged"):
        verify_bundle(bundle, "host")
    poor = Bundle(bundle.path, {k: v for k, v in bundle.manifest.items() if k != "inputs"})
    with pytest.raises(BundleError, match=r"manifest\.json of .* is damaged"):
        verify_bundle(poor, "host", data=str(TEST))


def test_outputs_are_written_where_they_can_be(tmp_path: Path) -> None:
    two = {"a": np.zeros(2), "b": np.ones(3)}
    with pytest.raises(DataError, match="neither"):
        save_outputs(tmp_path / "y.csv", two)
    with pytest.raises(DataError, match="2 outputs"):
        save_outputs(tmp_path / "y.npy", two)
    with pytest.raises(DataError, match="cannot be written"):
        save_outputs(tmp_path / "absent" / "y.npz", two)
    save_outputs(tmp_path / "y.npz", two)
    assert set(np.load(tmp_path / "y.npz")) == {"a", "b"}


def test_batches_come_back_in_the_source_layout(bundle: Bundle, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels())
    codes = load_inputs(bundle, tmp_path / "x.npy")
    (name,) = bundle.graph.inputs
    tensor = bundle.graph.tensors[name]
    assert codes[name].shape[1:] == tensor.shape[1:]
    back = to_source(bundle.graph, name, codes[name])
    np.testing.assert_array_equal(back, tensor.params.quantize(pixels(), tensor.dtype))
    raw = run_bundle(bundle, "host", codes, raw=True)
    np.testing.assert_array_equal(raw[bundle.graph.outputs[0]], expected(bundle, pixels()))


def test_verify_compares_every_layer_and_notes_it(bundle: Bundle) -> None:
    data = ["--data", str(TEST), "--inputs", "20"]
    assert main(["verify", str(bundle.path), "--on", "host", *data]) == 0
    report = json.loads((bundle.path / "report.json").read_text())
    (verdict,) = report["verify"]
    layers = [n for n in bundle.graph.nodes if n.op.value != "RESHAPE"]
    assert verdict == {
        "runner": "host",
        "inputs": 20,
        "tensors_compared": len(layers),
        "bit_exact": True,
        "first_mismatch": None,
        "reference": "integer reference",
        "note": None,
    }
    assert main(["verify", str(bundle.path)]) == 0
    report = json.loads((bundle.path / "report.json").read_text())
    assert [v["inputs"] for v in report["verify"]] == [8]
    assert "bit-exact" in (bundle.path / "report.html").read_text()


def spoil(bundle: Bundle, layer: str) -> None:
    """Raises the first element of a layer's result by one, whatever kernel computes it."""
    path = bundle.path / "src" / f"{bundle.name}.c"
    text = path.read_text()
    place = text.index("    TINYFLOW_TAP(", text.index(f": {layer}\n"))
    path.write_text(f"{text[:place]}    out.data[0] += out.data[0] < 127;\n{text[place:]}")


def test_verify_names_the_first_layer_that_differs(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = "/depthwise2/conv/Conv"
    node = next(n for n in bundle.graph.nodes if n.name == layer)
    spoil(bundle, layer)
    assert main(["verify", str(bundle.path)]) == 1
    err = capsys.readouterr().err
    assert f"layer '{layer}' differs first" in err
    report = json.loads((bundle.path / "report.json").read_text())
    (verdict,) = report["verify"]
    assert not verdict["bit_exact"]
    first = verdict["first_mismatch"]
    assert first["layer"] == layer
    assert first["tensor"] == node.output
    assert first["largest"] == 1
    assert first["actual"] == first["expected"] + 1
    assert layer in (bundle.path / "report.html").read_text()
    verdict = verify_bundle(bundle, "host", limit=2)
    assert verdict.first_mismatch is not None
    assert verdict.inputs == 2
    with pytest.raises(VerifyError, match="differs first"):
        verdict.raise_on_mismatch()


@pytest.mark.slow
def test_the_emulator_agrees_with_this_computer(bundle: Bundle, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels())
    results = []
    for runner in ("host", "qemu"):
        codes = load_inputs(bundle, tmp_path / "x.npy")
        results.append(run_bundle(bundle, runner, codes, raw=True))
        assert verify_bundle(bundle, runner, str(TEST), limit=50).bit_exact
    for name in bundle.graph.outputs:
        np.testing.assert_array_equal(results[0][name], results[1][name])


def test_a_fault_of_the_release_build_alone_is_found(bundle: Bundle) -> None:
    source = next((bundle.path / "src").glob("digits.c"))
    last = "    return TINYFLOW_OK;\n}\n\nconst int8_t *"
    assert last in source.read_text()
    broken = (
        "#ifndef TINYFLOW_VERIFY\n    ((int8_t *)digits_output_0(net))[0] ^= 1;\n#endif\n" + last
    )
    source.write_text(source.read_text().replace(last, broken))
    first = verify_bundle(bundle, "host").first_mismatch
    assert first is not None
    assert (first.build, first.tensor) == ("release", bundle.graph.outputs[0])
    assert "in the release build" in str(first)
