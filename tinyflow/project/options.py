"""Every option of a compilation: its name, its kind, and where it may be set.

One table serves the command line, tinyflow.toml and `tinyflow init`. Nothing heavy is imported
here, because `tinyflow --help` reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tinyflow.errors import UsageError
from tinyflow.project import kinds

BACKENDS = ("c", "tflm", "tvm")
OPTIMIZE = ("balanced", "size", "speed")
RANGES = ("auto", "minmax", "mse", "percentile")
ROUNDINGS = ("double", "single")
POSTPROCESS = ("auto", "none")
RANDOM = "random"
"""The DATA argument that stands for made-up calibration inputs."""


@dataclass(frozen=True)
class CompileOptions:
    """What `tinyflow.compile` is asked to do. Sizes are bytes, ``max_drop`` percentage points;
    without ``backend`` it is the target's default."""

    model: str
    target: str
    weights: str | None = None
    num_classes: int | None = None
    resolution: int | None = None
    name: str | None = None
    output: str | None = None
    backend: str | None = None
    optimize: str = "balanced"
    calibration: str | None = None
    test_data: str | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: str = "auto"
    rounding: str = "double"
    input_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    scale: float = 1.0
    x_scale: float | None = None
    x_zero_point: int | None = None
    max_ram: int | None = None
    max_flash: int | None = None
    max_drop: float | None = None
    postprocess: str = "auto"
    tflite: bool = False
    tflite_builtins: bool = False
    autotune: bool = False
    build: bool = True
    run: bool = True

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise UsageError(f"{name} is '{value}'", f"{name} is one of {', '.join(allowed)}")


_CHOICES = {
    "backend": BACKENDS,
    "optimize": OPTIMIZE,
    "ranges": RANGES,
    "rounding": ROUNDINGS,
    "postprocess": POSTPROCESS,
}


@dataclass(frozen=True)
class Option:
    """One option: a field of `CompileOptions`, its key in tinyflow.toml, its kind.

    The command line's flag is the key's last part. A ``table`` option is a table of named values
    in the file and a repeatable ``--flag name=value`` on the command line. A ``switch`` is true or
    false in the file, and a flag without a value.
    """

    field: str
    key: str
    parse: Callable[[object], Any]
    metavar: str
    help: str
    example: str
    table: bool = False
    switch: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.key.rpartition(".")[2]


OPTIONS: tuple[Option, ...] = (
    Option("model", "model", kinds.text, "MODEL",
           "model file (.onnx, .pt2, .tflite, .keras, .h5 or .tfq), SavedModel folder, a name of "
           "'tinyflow models', or package.module:function that returns a PyTorch module",
           '"model.onnx"'),
    Option("target", "target", kinds.text, "T", "what to compile for; see 'tinyflow targets'",
           '"cortex-m4"'),
    Option("weights", "weights", kinds.text, "FILE",
           "checkpoint of a model that is given by its name or function (default: random weights)",
           '"checkpoint.pth"'),
    Option("num_classes", "num-classes", kinds.count, "N",
           "classes of a model that is given by its name (default: as published)", "10"),
    Option("resolution", "resolution", kinds.count, "N",
           "height and width of its pictures (default: as published)", "96"),
    Option("postprocess", "postprocess", kinds.choice(POSTPROCESS), "WHAT",
           "auto (default): a detector of 'tinyflow models' gives boxes, a segmenter labels; "
           "none: both give their raw outputs", '"auto"'),
    Option("name", "name", kinds.identifier, "NAME",
           "the model's name in C (default: from the file's name)", '"my_model"'),
    Option("output", "output", kinds.text, "DIR",
           "folder of the bundle (default: NAME-TARGET)", '"firmware"'),
    Option("calibration", "calibration", kinds.text, "DATA",
           "representative inputs that set the ranges of int8; 'random' is for timing only",
           '"calibration.npz[:100]"'),
    Option("test_data", "test-data", kinds.text, "DATA",
           "labelled inputs on which accuracy is measured", '"test.npz"'),
    Option("backend", "backend", kinds.choice(BACKENDS), "B",
           "what is generated: c (default for CPU cores), tflm (a C++ project for TensorFlow Lite "
           "Micro) or tvm (C that TVM prints)", '"c"'),
    Option("optimize", "optimize", kinds.choice(OPTIMIZE), "GOAL",
           "speed, size or balanced (default)", '"balanced"'),
    Option("shapes", "shape", kinds.shape, "NAME=1x3x224x224",
           "shape of an input whose axes are not fixed in the model; may be repeated",
           '[1, 3, 224, 224]', table=True),
    Option("mean", "preprocess.mean", kinds.floats, "M,...",
           "raw pixels become (pixel * scale - mean) / std: one mean, or one per channel",
           "[0.485, 0.456, 0.406]"),
    Option("std", "preprocess.std", kinds.floats, "S,...",
           "one standard deviation, or one per channel", "[0.229, 0.224, 0.225]"),
    Option("scale", "preprocess.scale", kinds.number, "F",
           "factor on raw pixels, e.g. 0.00392157 for 1/255 (default: 1)", "0.00392157"),
    Option("x_scale", "preprocess.x-scale", kinds.positive, "F",
           "integer data for a float model mean x_scale * (x - x_zero_point)", "0.5847"),
    Option("x_zero_point", "preprocess.x-zero-point", kinds.integer, "N",
           "see --x-scale", "83"),
    Option("ranges", "quantization.ranges", kinds.choice(RANGES), "METHOD",
           "how int8 ranges are chosen: auto (default), minmax, percentile or mse", '"auto"'),
    Option("rounding", "quantization.rounding", kinds.choice(ROUNDINGS), "MODE",
           "double (default, as TFLite Micro) or single rounding", '"double"'),
    Option("input_ranges", "input-range", kinds.bounds, "NAME=LO:HI",
           "known range of an input, e.g. of its pixels; may be repeated", "[0.0, 1.0]",
           table=True),
    Option("tflite_builtins", "tflite-builtins", kinds.truth, "",
           "quantize, compile --backend tflm: a .tflite file without custom operators, several "
           "builtin ones in their place; the report says what that costs", "true", switch=True),
    Option("max_ram", "limits.max-ram", kinds.size, "SIZE",
           "fail (exit 3) where the model needs more RAM, e.g. 64KB", '"64 KB"'),
    Option("max_flash", "limits.max-flash", kinds.size, "SIZE",
           "fail (exit 3) where the model needs more flash", '"256 KB"'),
    Option("max_drop", "limits.max-drop", kinds.number, "PP",
           "fail (exit 3) where accuracy falls by more percentage points", "1.0"),
)  # fmt: skip

_BY_FIELD = {option.field: option for option in OPTIONS}


def option(name: str) -> Option:
    """The option that sets a field of `CompileOptions`."""
    return _BY_FIELD[name]


def make_options(values: Mapping[str, Any], command: str = "compile") -> CompileOptions:
    """Checks that the needed values are there; raises `UsageError` saying what is missing."""
    for needed, hint in _NEEDED.items():
        if not values.get(needed):
            raise UsageError(f"no {needed} was given", hint.format(command=command))
    if (values.get("x_scale") is None) != (values.get("x_zero_point") is None):
        raise UsageError(
            "x-scale and x-zero-point belong together, only one of them was given",
            "integer data mean x_scale * (x - x_zero_point)",
        )
    known = {f.name for f in fields(CompileOptions)}
    return CompileOptions(**{k: v for k, v in values.items() if k in known and v is not None})


_NEEDED = {
    "model": "tinyflow {command} MODEL --target T, or write both into tinyflow.toml "
    "('tinyflow init' makes one)",
    "target": "tinyflow {command} MODEL --target T; 'tinyflow targets' lists them",
}
