"""benchmarks/latency.py: its table, and its comparison with earlier figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.latency import main
from tests.support.digits import CALIBRATION, MODEL, digits_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return shutil.copytree(digits_bundle().path, tmp_path / "digits")


def rows_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, object]]:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_table(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(bundle), "--by-operation"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith("digits")
    assert out.splitlines()[1].endswith("yes")
    assert out.splitlines()[2] == "Noise threshold: 0%"
    assert "DEPTHWISE_CONV_2D" in out


def test_operations_sum_to_the_layers(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = rows_of(capsys, bundle)
    operations = row["operations"]
    assert isinstance(operations, list)
    assert sum(entry["macs"] for entry in operations) == row["macs"]
    assert 0.99 < sum(entry["cycles"] for entry in operations) / row["cycles"] < 1  # type: ignore[operator]


@pytest.mark.slow
def test_compiles_models_for_each_goal(capsys: pytest.CaptureFixture[str]) -> None:
    """By default for a core without clock and flash, and for a board with both."""
    rows = rows_of(capsys, MODEL, "--calibration", CALIBRATION)
    assert [row["optimize"] for row in rows] == ["speed", "balanced", "size"]
    for row in rows:
        assert row["exact"] is True
        assert (row["cycles_flash"], row["ms"]) == (None, None)
        assert row["board_ms"] and row["board_cycles_flash"] and row["noise_percent"] == 0
    assert rows[0]["cycles"] <= rows[1]["cycles"] <= rows[2]["cycles"]  # type: ignore[operator]
    assert rows[1]["arena_bytes"] <= rows[0]["arena_bytes"]  # type: ignore[operator]


def test_comparison_has_no_tolerance(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(capsys, bundle)
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(rows))
    assert main([str(bundle), "--against", str(earlier)]) == 0
    assert "WORSE" not in capsys.readouterr().err
    for change, code in ((-1, 3), (1, 0)):
        changed = [{**row, "cycles": row["cycles"] + change} for row in rows]  # type: ignore[operator]
        earlier.write_text(json.dumps(changed))
        assert main([str(bundle), "--against", str(earlier)]) == code
        err = capsys.readouterr().err
        assert ("WORSE" if code else "better") in err


def test_error_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.tflite"]) == 1
    assert "error: " in capsys.readouterr().err
