"""Programs and layers that cannot be compiled get a sentence, all layers at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from tests.support.torch_programs import Calls, Outputs  # noqa: E402
from tinyflow.errors import ModelError, UnsupportedError, UsageError  # noqa: E402
from tinyflow.importers import load_model  # noqa: E402
from tinyflow.importers.torch import import_module, import_program  # noqa: E402

IMAGE = torch.zeros(1, 3, 6, 8)


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()


def saved(folder: Path, module: nn.Module | None = None) -> Path:
    path = folder / "small.pt2"
    torch.export.save(torch.export.export(module or small(), (IMAGE,)), path)
    return path


def test_file(tmp_path: Path) -> None:
    graph = load_model(saved(tmp_path))
    assert graph.name == "small"
    assert graph.inputs == ("input",)
    assert graph.outputs == ("output",)
    assert {n.sources for n in graph.nodes} == {("0",), ("1",), ("2",)}


def test_shapes_of_a_file_are_fixed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert load_model(path, {"input": (1, 3, 6, 8)}).inputs == ("input",)
    with pytest.raises(UsageError, match="differs from the exported program's 1x3x6x8"):
        load_model(path, {"input": (1, 3, 8, 8)})
    with pytest.raises(UsageError, match="no input 'image'"):
        load_model(path, {"image": (1, 3, 6, 8)})


def test_files_that_are_no_program(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt2"
    torch.save(small().state_dict(), path)
    with pytest.raises(ModelError, match=r"cannot be read as a program of torch\.export") as caught:
        load_model(path)
    assert "torch.export.save" in caught.value.hint
    path.write_bytes(saved(tmp_path).read_bytes()[:500])
    with pytest.raises(ModelError, match="cannot be read as a program"):
        load_model(path)


def test_training_mode() -> None:
    with pytest.raises(UnsupportedError) as caught:
        import_module(small().train(), (IMAGE,))
    (obstacle,) = caught.value.obstacles
    assert obstacle.layer == "1"
    assert "training mode" in obstacle.reason
    assert "model.eval()" in obstacle.remedy


def test_dynamic_shapes() -> None:
    height = torch.export.Dim("height", min=4, max=64)
    program = torch.export.export(small(), (IMAGE,), dynamic_shapes=({2: height},))
    with pytest.raises(ModelError, match="'input' has the dynamic shape") as caught:
        import_program(program)
    assert "without dynamic_shapes" in caught.value.hint


def test_batches_and_integers() -> None:
    with pytest.raises(ModelError, match="a batch of 1"):
        import_module(small(), (torch.zeros(2, 3, 6, 8),))
    with pytest.raises(ModelError, match="'inputs_0' is int64"):
        import_module(Calls(lambda x: x * 0.5), (torch.zeros(1, 4, dtype=torch.int64),))


def test_modules_that_cannot_be_traced() -> None:
    def choose(x: Tensor) -> Outputs:
        return x if x.sum() > 0 else -x

    with pytest.raises(ModelError, match=r"torch\.export cannot trace Calls"):
        import_module(Calls(choose), (IMAGE,))


def test_an_output_that_is_constant() -> None:
    with pytest.raises(ModelError, match="'output_1' does not depend on the model's inputs"):
        import_module(Calls(lambda x: (x * 2, torch.ones(1, 3))), (IMAGE,))


def test_weights_that_are_not_finite() -> None:
    module = small()
    with torch.no_grad():
        module[0].weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"NaN or infinite: '0\.weight' of layer '0'"):
        import_module(module, (IMAGE,))


class Refused(nn.Module):
    """Some layers that TinyFlow takes and more that it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 1), Calls(torch.lgamma))
        self.pool = nn.MaxPool2d(2, dilation=2)
        self.last = nn.ReLU()

    def forward(self, x: Tensor) -> Outputs:
        return self.last(torch.digamma(self.pool(self.first(x))))


def test_all_layers_at_once_by_the_names_of_their_modules() -> None:
    with pytest.raises(UnsupportedError) as caught:
        import_module(Refused().eval(), (IMAGE,))
    assert [o.layer for o in caught.value.obstacles] == ["first.1", "pool", "digamma"]
    assert "lgamma is not supported" in caught.value.message
    assert "max_pool2d with dilation is not supported" in caught.value.message


REFUSED: dict[str, tuple[Callable[[Tensor], Outputs], str]] = {
    "random": (lambda x: x + torch.rand(1, 3, 6, 8), "random numbers"),
    "recurrent": (lambda x: nn.LSTM(8, 4)(x[0])[0], "lstm"),
    "causal": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), "with a mask"),
    "masked": (
        lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=torch.ones(6, 6)),
        "with a mask",
    ),
    "batch is lost": (lambda x: x[0], "no batch axis of 1"),
    "batch is moved": (lambda x: x.permute(1, 0, 2, 3), "no batch axis of 1"),
    "reordered": (
        lambda x: x.flatten(1)[:, torch.arange(143, -1, -1)],
        "144 slices, and no more than 64",
    ),
    "rounded": (lambda x: torch.div(x, 2, rounding_mode="floor"), "rounds its result"),
    "norm of order 1": (lambda x: torch.linalg.vector_norm(x, 1, dim=1), "order 1"),
    "uneven windows": (lambda x: F.adaptive_avg_pool2d(x, (4, 4)), "different sizes"),
    "cast": (lambda x: x.to(torch.int32) * 2.0, "cast to int32"),
    "choice of infinity": (
        lambda x: torch.where(torch.eye(6, 8) > 0, x, -torch.inf),
        "numbers that are not finite",
    ),
    "infinite padding": (lambda x: F.pad(x, (1, 1), value=float("inf")), "pad with inf"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_settings(case: str) -> None:
    function, reason = REFUSED[case]
    with pytest.raises(UnsupportedError) as caught:
        import_module(Calls(function).eval(), (IMAGE,))
    assert reason in caught.value.message
