"""Whole networks equal PyTorch, layers have their modules' names, and nothing but the canonical
graph's operations is left after all passes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.support.timm_models import timm_model  # noqa: E402
from tests.support.torch_networks import NETWORKS, network  # noqa: E402
from tests.support.torch_programs import assert_equal_to_torch, examples  # noqa: E402
from tinyflow.importers.torch import import_module, import_program  # noqa: E402
from tinyflow.ir import Graph, Op  # noqa: E402
from tinyflow.models import build_model, randomize  # noqa: E402


def assert_names_are_the_modules(graph: Graph, module: nn.Module) -> None:
    """Every layer is a module of the network, or an operation of one."""
    paths = {name for name, _ in module.named_modules()}
    for node in graph.nodes:
        for source in node.sources:
            path, _, _ = source.rpartition("/")
            assert source in paths or path in paths, source
    assert len({node.name for node in graph.nodes}) == len(graph.nodes)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    net, shape = network(name)
    graph = import_module(net, examples((shape,)), name)
    assert_names_are_the_modules(graph, net)
    final = assert_equal_to_torch(graph, net)
    assert not {Op.TRANSPOSE, Op.BATCH_NORM} & {n.op for n in final.nodes}


def test_outputs_have_the_keys_of_a_dictionary() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.labels, self.boxes = nn.Linear(4, 3), nn.Linear(4, 2)

        def forward(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"labels": self.labels(features), "boxes": self.boxes(features)}

    graph = import_module(Heads().eval(), examples(((1, 4),)))
    assert graph.inputs == ("features",)
    assert set(graph.outputs) == {"labels", "boxes"}


def test_operations_in_place_change_what_others_read() -> None:
    class InPlace(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            y = x * 2
            z = y + 1
            y.relu_()
            return y, z + y

    module = InPlace().eval()
    assert_equal_to_torch(import_module(module, examples(((1, 5),))), module)


def test_modules_that_are_called_twice_and_shared_weights() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.second.weight = self.first.weight
            self.act = nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.second(self.act(self.first(self.first(x)))))

    module = Shared().eval()
    graph = import_module(module, examples(((1, 4),)))
    assert_equal_to_torch(graph, module)
    names = [n.name for n in graph.nodes]
    assert names == ["first/linear", "first/linear_1", "act/relu", "second", "act/relu_1"]


def test_half_precision_weights() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU()).eval()
    halves = nn.Sequential(nn.Linear(4, 3), nn.ReLU()).eval()
    halves.load_state_dict(module.state_dict())
    program = torch.export.export(halves.half(), (torch.zeros(1, 4, dtype=torch.half),))
    assert_equal_to_torch(import_program(program), halves.float())


SEEDS = {"tinynext_t": 64, "edgenext_xxs_bn_hs": 64}
TIMM = {"edgenext_xx_small": 64, "nextvit_small": 32}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
def test_seed_models(name: str) -> None:
    model = randomize(build_model(name, num_classes=10, resolution=SEEDS[name]), seed=0)
    side = SEEDS[name]
    graph = import_module(model, examples(((1, 3, side, side),)), name)
    assert_names_are_the_modules(graph, model)
    assert_equal_to_torch(graph, model)


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_timm_models(name: str) -> None:
    model = timm_model(name, num_classes=10)
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_(std=0.3)
            module.running_var.uniform_(0.5, 2)
    for parameter in model.parameters():
        if parameter.ndim < 2:
            nn.init.uniform_(parameter, 0.5, 1.5)
    side = TIMM[name]
    graph = import_module(model, examples(((1, 3, side, side),)), name)
    assert_equal_to_torch(graph, model)
