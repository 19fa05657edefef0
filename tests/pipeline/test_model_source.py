"""What MODEL may be besides a file: a name, a function that returns a module, the module itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import tinyflow  # noqa: E402
from tinyflow.cli.main import main  # noqa: E402
from tinyflow.errors import ModelError, UsageError  # noqa: E402
from tinyflow.pipeline.model_source import import_model, is_factory, title_of  # noqa: E402
from tinyflow.pipeline.source import read_source, with_defaults  # noqa: E402
from tinyflow.progress import SILENT  # noqa: E402
from tinyflow.project import CompileOptions, make_options  # noqa: E402

NETS = """
import torch
from torch import nn


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                         nn.Linear(64, 3))


def program():
    return torch.export.export(small().eval(), (torch.zeros(1, 3, 8, 8),))


def broken():
    raise RuntimeError("no such thing")


def number():
    return 3
"""
SHAPE = {"input": (1, 3, 8, 8)}


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny_test_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(model: str, **values: object) -> CompileOptions:
    return make_options({"model": model, "target": "host", **values})


class Messages:
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage(self, text: str) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)

    def count(self, what: str, done: int, total: int) -> None: ...


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()


def test_names_and_functions_are_told_from_files(nets: Path) -> None:
    assert is_factory("package.module:make")
    assert not is_factory("model.onnx")
    assert not is_factory("C:\\models\\net.onnx")
    Path("a:b").write_text("")
    assert not is_factory("a:b")
    assert title_of("package.module:nets.make") == "make"
    assert title_of("folder/my.net.onnx") == "my.net"


def test_module_from_a_function(nets: Path) -> None:
    found = import_model(options("tiny_test_nets:small", shapes=SHAPE), SILENT)
    assert found.title == "small"
    assert found.format == "torch"
    assert found.graph.tensors["input"].shape == (1, 3, 8, 8)
    again = import_model(options("tiny_test_nets:small", shapes=SHAPE), SILENT)
    assert again.sha256 == found.sha256


def test_program_from_a_function(nets: Path) -> None:
    found = import_model(options("tiny_test_nets:program"), SILENT)
    assert found.graph.inputs == ("input",)


def test_weights_of_a_function_s_module(nets: Path) -> None:
    plain = import_model(options("tiny_test_nets:small", shapes=SHAPE), SILENT)
    other = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )
    torch.save(other.state_dict(), nets / "weights.pth")
    values = {"shapes": SHAPE, "weights": "weights.pth"}
    filled = import_model(options("tiny_test_nets:small", **values), SILENT)
    assert filled.sha256 != plain.sha256
    weight = filled.graph.tensors["0.weight"].data
    wanted = other[0].weight.detach().numpy().transpose(0, 2, 3, 1)
    assert np.array_equal(weight, wanted)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("tiny_test_nets:small", "the shape of the input 'input' of small is not known"),
        ("tiny_test_nets:missing", "has no 'missing'"),
        ("tiny_no_such_module:make", "no module 'tiny_no_such_module'"),
        ("tiny_test_nets:broken", "RuntimeError: no such thing"),
        ("tiny_test_nets:number", "gives an object of type int, which is no PyTorch module"),
        ("tiny_test_nets:__name__", "is no function"),
        ("tinynext_x", "has the suffix ''"),
    ],
)
def test_what_is_no_model(nets: Path, model: str, reason: str) -> None:
    with pytest.raises((UsageError, ModelError), match=reason):
        import_model(options(model), SILENT)


def test_inputs_that_a_function_s_module_does_not_have(nets: Path) -> None:
    with pytest.raises(UsageError, match="small has no input 'image'"):
        import_model(options("tiny_test_nets:small", shapes={"image": (1, 3, 8, 8)}), SILENT)


@pytest.mark.parametrize(
    ("model", "values", "reason"),
    [
        ("model.onnx", {"weights": "w.pth"}, "--weights does not go with the model file"),
        ("model.onnx", {"num_classes": 3}, "--num-classes does not go with"),
        ("tiny_test_nets:small", {"resolution": 32}, "--resolution does not go with"),
        ("tinynext_t", {"shapes": SHAPE}, "--shape does not go with the model name"),
    ],
)
def test_options_that_do_not_go_together(
    nets: Path, model: str, values: dict[str, object], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        import_model(options(model, **values), SILENT)


def test_a_module_given_in_python() -> None:
    module = small()
    given = options("net", shapes=SHAPE)
    assert import_model(given, SILENT, module).title == "net"
    with pytest.raises(UsageError, match="an object of type list is no model"):
        import_model(given, SILENT, [])
    with pytest.raises(ModelError, match="net is in training mode"):
        import_model(given, SILENT, module.train())


def test_compile_takes_a_module(tmp_path: Path) -> None:
    bundle = tinyflow.compile(
        small(),
        target="host",
        name="net",
        shapes=SHAPE,
        calibration="random",
        output=tmp_path / "bundle",
        build=False,
        run=False,
    )
    assert bundle.manifest["model"]["format"] == "torch"
    assert bundle.manifest["model"]["name"] == "net"
    assert bundle.manifest["packages"]["torch"] == torch.__version__
    assert {n.name for n in bundle.graph.nodes} >= {"0", "3"}


@pytest.mark.slow
def test_a_model_of_the_catalogue() -> None:
    """Random weights, and its own way with pixels, which become codes as they are."""
    messages = Messages()
    given = options("tinynext_t", num_classes=7, resolution=32)
    source = read_source(given, messages)
    assert source.name == "tinynext_t"
    assert any("they are random" in note for note in messages.notes)
    assert source.canonical.tensors[source.canonical.outputs[0]].shape == (1, 7)
    filled = with_defaults(source, given)
    assert filled.mean == pytest.approx((128.0,) * 3)
    assert filled.std == pytest.approx((1.0,) * 3)
    (bounds,) = filled.input_ranges.values()
    assert bounds == pytest.approx((-128.0, 127.0))
    mine = with_defaults(source, options("tinynext_t", mean=(1.0,), std=(2.0,)))
    assert mine.mean == (1.0,)
    assert not mine.input_ranges


@pytest.mark.slow
def test_check_takes_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["check", "edgenext_xxs", "--resolution", "32", "--num-classes", "3", "--json"]
    code = main([*command, "--target", "cortex-m7"])
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["model"] == "edgenext_xxs"
    assert verdict["passed"] == (code == 0)
