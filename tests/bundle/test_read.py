"""Reading bundles, and what stands in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import look_up, random_codes, tables_graph, write_tables_bundle
from tinyflow.bundle import json_bytes, read_bundle, vector_files
from tinyflow.errors import BundleError, ModelError


def test_a_bundle_is_read_back(tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b"))
    assert (bundle.name, bundle.target) == ("tables", "cortex-m4")
    assert str(bundle.graph) == str(tables_graph())
    assert bundle.report == {"schema_version": 1}


def test_a_quantized_model_has_no_target(tmp_path: Path) -> None:
    manifest = {"schema_version": 1, "model": {"name": "m"}, "target": {"name": None}}
    (tmp_path / "manifest.json").write_bytes(json_bytes(manifest))
    with pytest.raises(BundleError, match="not compiled for a target"):
        _ = read_bundle(tmp_path).target


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("{", "not sound JSON"),
        ("\ufffd", "not sound JSON"),
        ("[]", "no JSON object"),
        ("{}", "schema None"),
        ('{"schema_version": 99}', "schema 99"),
        ('{"schema_version": 1}', "does not name its model"),
        ('{"schema_version": 1, "model": {"name": "m"}, "target": 4}', "does not name its target"),
    ],
)
def test_a_broken_manifest_is_told_apart(tmp_path: Path, manifest: str, says: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(BundleError, match=says):
        read_bundle(tmp_path)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no bundle"):
        read_bundle(tmp_path / "absent")
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        read_bundle(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="is not a bundle"):
        read_bundle(tmp_path / "file")


def test_a_missing_or_broken_graph_is_told(tmp_path: Path) -> None:
    path = write_tables_bundle(tmp_path / "b")
    (path / "model.tfq").write_bytes(b"PK broken")
    with pytest.raises(ModelError, match=r"model\.tfq"):
        _ = read_bundle(path).graph
    (path / "model.tfq").unlink()
    with pytest.raises(BundleError, match=r"no readable model\.tfq"):
        _ = read_bundle(path).graph


def test_json_is_sorted_and_refuses_what_is_not_a_number() -> None:
    assert json_bytes({"b": 1, "a": None}) == b'{\n  "a": null,\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes({"a": float("nan")})


def test_vectors_hold_the_same_numbers_twice(tmp_path: Path) -> None:
    x = random_codes(3)
    files = vector_files(tables_graph(), {"x": x}, {"y": look_up(x), "z": look_up(look_up(x))})
    assert files.keys() == {
        f"test_vectors/{name}"
        for name in ("input_0.npy", "output_0.npy", "output_1.npy", "test_vectors.h")
    }
    (tmp_path / "z.npy").write_bytes(files["test_vectors/output_1.npy"])
    np.testing.assert_array_equal(np.load(tmp_path / "z.npy"), look_up(look_up(x)))
    header = files["test_vectors/test_vectors.h"].decode()
    body = re.search(r"test_output_0\[\] = \{(.*?)\};", header, re.DOTALL)
    assert body is not None
    numbers = bytes(int(value, 16) for value in re.findall(r"0x(\w\w)", body.group(1)))
    assert numbers == look_up(x).tobytes()
    assert "#define TEST_VECTOR_COUNT 3u" in header


def test_a_bundle_holds_no_path_and_is_the_same_twice(tmp_path: Path) -> None:
    files = []
    for place in ("one", "two"):
        path = write_tables_bundle(tmp_path / place)
        files.append(
            {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}
        )
    assert files[0] == files[1]
    assert not any(str(tmp_path).encode() in data for data in files[0].values())
    assert json.loads(files[0]["manifest.json"])["schema_version"] == 1
