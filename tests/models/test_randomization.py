"""Random weights under which every branch of every network matters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.seed_models import REDUCED, reduced_model
from tinyflow.models import build_model, example_inputs, randomize

torch = pytest.importorskip("torch")

from tinyflow.models.randomization import branches, root_mean_square  # noqa: E402
from tinyflow.models.residual import Residual  # noqa: E402

SMALLEST_SHARE = 0.2
FULL = ["tinynext_t", "edgenext_xxs", "edgenext_xxs_bn_hs"]


def shares(model: Any, x: Any) -> tuple[list[float], list[float]]:
    """What each addition adds relative to what it is added to, and the size of its result."""
    found: list[float] = []
    results: list[float] = []

    def record(_: Any, inputs: Any, output: Any) -> None:
        found.append(root_mean_square(inputs[1]) / root_mean_square(inputs[0]))
        results.append(root_mean_square(output))

    hooks = [m.register_forward_hook(record) for m in model.modules() if type(m) is Residual]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return found, results


@pytest.fixture(scope="module", params=[*REDUCED, *FULL])
def model(request: pytest.FixtureRequest) -> Any:
    if request.param in REDUCED:
        return reduced_model(request.param)
    return randomize(build_model(request.param, resolution=96), seed=1)


def test_every_addition_belongs_to_a_branch(model: Any) -> None:
    additions = [module for module in model.modules() if type(module) is Residual]
    named = [addition for _, addition, _ in branches(model)]
    assert len(set(named)) == len(named)
    assert set(named) == set(additions)


def test_every_branch_carries_its_share(model: Any) -> None:
    """On pictures that the calibration has not seen."""
    found, results = shares(model, example_inputs(model, 2, seed=9))
    assert min(found) >= SMALLEST_SHARE
    assert max(found) < 2
    assert max(results) < 100


def test_without_a_branch_the_output_is_another(model: Any) -> None:
    x = example_inputs(model, 2, seed=9)
    with torch.no_grad():
        expected = model(x)
        for name, addition, _ in branches(model):
            hook = addition.register_forward_hook(lambda _, inputs, __: inputs[0])
            change = (model(x) - expected).norm() / expected.norm()
            hook.remove()
            assert change > 0.03, name


def test_pictures_give_different_outputs(model: Any) -> None:
    first, second = model(example_inputs(model, 2, seed=9))
    assert (first - second).norm() > 0.1 * first.norm()


def test_nothing_trivial_is_left(model: Any) -> None:
    for name, value in model.state_dict().items():
        if "num_batches_tracked" not in name:
            assert float(value.abs().max()) > 1e-3, name
            assert value.numel() == 1 or float(value.std()) > 1e-3, name


def test_a_seed_gives_the_same_weights_and_leaves_other_randomness_alone() -> None:
    state = torch.get_rng_state()
    one, same, other = (reduced_model("edgenext", seed=seed) for seed in (1, 1, 2))
    torch.set_rng_state(state)
    before = torch.get_rng_state()
    randomize(one, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name]), name
    weights = [m.stages[1][0].pwconv1.weight for m in (one, other)]
    assert not torch.allclose(*weights)
