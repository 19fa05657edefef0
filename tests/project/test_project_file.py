"""tinyflow.toml: what it takes, and how it answers what it does not take."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tinyflow.errors import UsageError
from tinyflow.project import OPTIONS, make_options, parse_project, project_template, read_project

DOCUMENT = """
model = "m.onnx"
target = "cortex-m4"
test-data = "t.npz"
[shape]
image = [1, 3, 8, 8]
tokens = "1x16"
[preprocess]
mean = [0.5, 0.25]
std = 2
x-zero-point = -3
[quantization]
ranges = "mse"
[input-range]
image = [0, 1]
[limits]
max-ram = "16 KB"
max-flash = 1000
max-drop = 0.5
"""


def test_every_kind_of_value() -> None:
    assert parse_project(tomllib.loads(DOCUMENT)) == {
        "model": "m.onnx",
        "target": "cortex-m4",
        "test_data": "t.npz",
        "shapes": {"image": (1, 3, 8, 8), "tokens": (1, 16)},
        "mean": (0.5, 0.25),
        "std": (2.0,),
        "x_zero_point": -3,
        "ranges": "mse",
        "input_ranges": {"image": (0.0, 1.0)},
        "max_ram": 16384,
        "max_flash": 1000,
        "max_drop": 0.5,
    }


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("callibration = 'x'", "unknown key 'callibration'", "'calibration'"),
        ("max-ram = 5", "unknown key 'max-ram'", "'max-ram' in section [limits]"),
        ("[quantization]\nround = 'double'", "'quantization.round'", "'rounding' in section"),
        ("zzz = 1", "unknown key 'zzz'", "the nearest key is"),
        ("limits = 3", "'limits' is a section", "[limits]"),
        ("shape = [1, 2]", "'shape' is a table of input names", "[shape]"),
        ("[shape]\nx = [1, 0]", "'shape.x' is [1, 0]: expected a shape", ""),
        ("name = '9lives'", "expected a C identifier", ""),
        ("optimize = 'fast'", "expected one of balanced, size, speed", ""),
        ("[limits]\nmax-ram = 'much'", "expected a size", ""),
        ("[limits]\nmax-drop = true", "expected a number", ""),
        ("[input-range]\nx = [1, 0]", "the lower number first", ""),
        ("[preprocess]\nx-scale = 0", "a number above 0", ""),
        ("[preprocess]\nx-zero-point = 0.5", "a whole number", ""),
    ],
)
def test_mistakes_are_named(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_project(tomllib.loads(text))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    assert read_project(tmp_path) == {}
    (tmp_path / "tinyflow.toml").write_text("model = ")
    with pytest.raises(UsageError, match="not sound TOML"):
        read_project(tmp_path)


def test_the_template_holds_every_option_and_is_sound() -> None:
    text = project_template('odd "name".onnx', "cortex-m4")
    given = parse_project(tomllib.loads(text))
    assert given == {"model": 'odd "name".onnx', "target": "cortex-m4"}
    body = text.partition("\n\n")[2]
    values = [line for line in body.splitlines() if " = " in line or line.startswith("# [")]
    whole = "\n".join(line.removeprefix("# ") for line in values)
    sections = [line for line in body.splitlines() if line.startswith("[")]
    assert sections == ["[preprocess]", "[quantization]", "[limits]"]
    for name in ("mean", "ranges", "max-ram"):
        head = {"mean": "preprocess", "ranges": "quantization", "max-ram": "limits"}[name]
        whole = whole.replace(f"\n{name} =", f"\n[{head}]\n{name} =", 1)
    parsed = parse_project(tomllib.loads(whole))
    assert set(parsed) == {option.field for option in OPTIONS}


def test_what_is_missing_is_said() -> None:
    with pytest.raises(UsageError, match="no model was given"):
        make_options({"target": "cortex-m4"})
    with pytest.raises(UsageError, match="no target was given"):
        make_options({"model": "m.onnx"})
    options = make_options({"model": "m.onnx", "target": "t", "max_ram": None})
    assert options.max_ram is None
    with pytest.raises(UsageError, match="belong together"):
        make_options({"model": "m.onnx", "target": "t", "x_scale": 0.5})
    with pytest.raises(UsageError, match="ranges is 'best'"):
        make_options({"model": "m.onnx", "target": "t", "ranges": "best"})
