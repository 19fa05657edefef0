"""Every supported ATen operation against PyTorch, several to a program."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from tests.importers.torch.functions import activations, elementary  # noqa: E402
from tests.support.torch_programs import (  # noqa: E402
    Calls,
    Outputs,
    assert_import_is_exact,
    examples,
)
from tinyflow.importers.torch import import_module  # noqa: E402
from tinyflow.importers.torch.table import HANDLERS, Handler  # noqa: E402
from tinyflow.ir import Op  # noqa: E402
from tinyflow.report.supported_operators import rule  # noqa: E402

IMAGE = (1, 3, 6, 8)
TOKENS = (1, 5, 12)


def constant(*shape: int) -> Tensor:
    """Traced programs compute it again, so it comes from no random numbers."""
    values = torch.arange(math.prod(shape), dtype=torch.float32)
    return torch.sin(values * 1.7 + len(shape)).reshape(shape)


@dataclass(frozen=True)
class Case:
    """``function`` takes tensors of ``shapes`` and is there to show that these operations work;
    ``core`` are those that show up once torch has taken the program apart into core operations."""

    function: Callable[..., Outputs]
    covers: str = ""
    shapes: tuple[tuple[int, ...], ...] = (IMAGE,)
    core: str = ""


def clamps(x: Tensor) -> Outputs:
    return (
        F.relu(x),
        F.relu6(x * 4),
        F.hardtanh(x, -0.5, 0.75),
        x.clamp(-0.25, 1.5),
        x.clamp(max=0.5),
        x.clamp_min(0.1),
        x.clamp_max(0.2),
        torch.maximum(x, torch.tensor(0.3)),
        torch.minimum(torch.tensor([0.4]), x),
        torch.maximum(x, -0.5 * x),
        torch.minimum(x.mean(3, keepdim=True), x),
        x.clamp(torch.tensor(-0.3), x.abs() * 0.5),
    )


def slopes(x: Tensor) -> Outputs:
    return F.prelu(x, torch.tensor([0.3, -0.5, 1.5])), F.prelu(x, torch.tensor([0.25]))


def smooth(x: Tensor) -> Outputs:
    return (
        F.gelu(x),
        F.gelu(x, approximate="tanh"),
        F.silu(x),
        torch.sigmoid(x),
        torch.tanh(x),
        F.hardswish(x),
        F.hardsigmoid(x),
        F.leaky_relu(x),
        F.leaky_relu(x, 0.3),
        torch.erf(x),
        -x,
    )


def powers(x: Tensor) -> Outputs:
    y = torch.exp(x.abs() * 0.5)
    return (
        y,
        torch.log(y),
        torch.sqrt(y),
        torch.rsqrt(y),
        torch.reciprocal(y),
        torch.square(x),
        x**3,
        y**0.25,
        torch.pow(x, torch.tensor(2.0)),
        1 / y,
    )


def arithmetic(x: Tensor, y: Tensor) -> Outputs:
    c = constant(3, 1, 1)
    return (
        x + y,
        torch.add(x, y, alpha=0.5),
        torch.add(x, c, alpha=-2),
        x + 1,
        x - y,
        torch.sub(c, x),
        torch.rsub(x, 3),
        torch.rsub(y, x, alpha=0.5),
        x * y,
        x * 0.25,
        x / 4,
        x / (c.abs() + 1),
        x / (y.abs() + 1),
        x * y.mean((2, 3), keepdim=True).expand_as(x),
    )


def means(x: Tensor) -> Outputs:
    return (
        x.mean((2, 3)),
        x.mean(1, keepdim=True),
        x.mean((-1, -2), keepdim=True),
        x.sum((2, 3)),
        x.sum(1, keepdim=True),
        torch.linalg.vector_norm(x, dim=-1, keepdim=True),
        x.norm(dim=1),
        F.normalize(x, dim=-1),
        F.normalize(x, dim=1),
    )


def views(x: Tensor) -> Outputs:
    return (
        x.view(1, 18, 8),
        x.reshape(1, -1),
        x.flatten(2).transpose(1, 2),
        x.unsqueeze(1).squeeze(1),
        x.permute(0, 2, 3, 1).contiguous(),
        x.permute(0, 3, 1, 2).reshape(1, 24, 6),
        x.unflatten(3, (2, 4)).permute(0, 1, 3, 2, 4).flatten(1),
        x.squeeze(0).transpose(0, 1).unsqueeze(0),
        x.clone().detach(),
        x.to(torch.float64).float(),
        F.dropout(x, training=False),
        x.as_strided((1, 12, 12), (144, 12, 1)),
        x.mean(1).expand(1, 6, 8) * 2,
    )


def parts(x: Tensor) -> Outputs:
    a, b = x.split(4, 2)
    c, d, e = x.split([1, 3, 4], dim=-1)
    f, g = x.chunk(2, 3)
    h, i, j = x.unbind(1)
    return (
        torch.cat([b, a], 2),
        torch.cat([e, constant(1, 3, 6, 2), c], 3),
        d,
        torch.cat([f, g * 2], 1),
        torch.cat([x, x.mean((2, 3), keepdim=True).expand_as(x)], 1),
        torch.stack([h, j], 1),
        torch.stack([h, i], -1),
        x[:, 1],
        x[:, :, 1:5:2],
        x[..., -3:],
        x.narrow(2, 1, 4),
        x.select(3, -1),
        x.index_select(2, torch.tensor([0, 2, 4])),
        x[:, torch.tensor([1, 2])],
        x[:, :, torch.arange(6)],
        F.pad(x, (1, 2, 0, 3)),
        F.pad(x, (1, -2), value=0.5),
    )


def shuffled(x: Tensor) -> Outputs:
    return (
        x[:, torch.tensor([2, 0, 1])],
        x.flip(3),
        x.index_select(2, torch.tensor([5, 0, 0, 1])),
        x.repeat(1, 2, 1, 3),
        x.mean(-1, keepdim=True).expand(1, 3, 6, 4).softmax(-1),
        F.pixel_unshuffle(x, 2),
        F.pixel_shuffle(x.reshape(1, 36, 2, 2), 3),
        torch.where(torch.eye(6, 8) > 0, x, -x),
        x.tril(1),
        x.triu(-2),
    )


def without_batch(x: Tensor) -> Outputs:
    """Queries, keys and values in front, as transformers order them, and no batch in between."""
    q, k, v = x.reshape(1, 5, 3, 2, 2).permute(2, 0, 3, 1, 4).unbind(0)
    rows = torch.cat([q, k]).flatten(1)
    inner = q.squeeze(0) @ k.squeeze(0).transpose(0, 1).transpose(0, 2).transpose(0, 1).softmax(-1)
    return (
        (q @ k.transpose(-2, -1)).softmax(-1) @ v,
        rows.mean(0, keepdim=True),
        inner.unsqueeze(0),
        (x[0] + constant(5, 12)).unsqueeze(0),
        F.layer_norm(x[0], (12,)).unsqueeze(0),
    )


def constants(x: Tensor) -> Outputs:
    """A positional encoding, computed from nothing but the shape."""
    rows = torch.ones(1, 6, 8).cumsum(1) / 6 * 6.28
    f = 10 ** (2 * torch.div(torch.arange(3), 2, rounding_mode="floor") / 3)
    angles = rows[..., None] / f
    return x + torch.stack((angles.sin(), angles.cos()), 4).flatten(3)[..., :3].permute(0, 3, 1, 2)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Outputs:
    return (
        F.scaled_dot_product_attention(q, k, v),
        F.scaled_dot_product_attention(q, k, v, scale=0.7),
        F.scaled_dot_product_attention(q, k[:, :1], v[:, :1], enable_gqa=True),
        torch.softmax(q, -1),
        torch.softmax(q, 1),
        F.log_softmax(q, -1),
    )


def products(x: Tensor, y: Tensor) -> Outputs:
    a, b = x[0], y[0]
    return (
        x @ y,
        torch.matmul(x, constant(12, 4)),
        torch.matmul(x, constant(12)),
        constant(3, 5) @ x,
        torch.bmm(x, y),
        torch.mm(a, b)[None],
        torch.mm(a, constant(12, 3))[None],
        torch.addmm(constant(7), a, constant(12, 7), alpha=2, beta=0.5)[None],
        torch.baddbmm(constant(1, 5, 7), x, y, alpha=0.5),
        torch.matmul(x.unflatten(2, (4, 3)).transpose(1, 2), constant(4, 3, 2)),
        F.linear(x, constant(6, 12), constant(6)),
        constant(4, 12).t() @ constant(4, 7) + y,
    )


def shared_matrix(x: Tensor, y: Tensor) -> Outputs:
    return x.unflatten(2, (4, 3)).transpose(1, 2) @ y[:, :3]


def pools(x: Tensor) -> Outputs:
    return (
        F.max_pool2d(x, 2),
        F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        F.avg_pool2d(x, 2),
        F.avg_pool2d(x, 3, 2, 1),
        F.avg_pool2d(x, (3, 2), (2, 1), (1, 0), count_include_pad=False),
        F.avg_pool2d(x, 5, 3, ceil_mode=True, count_include_pad=False),
        F.avg_pool2d(x, (6, 8)),
        F.adaptive_avg_pool2d(x, 1),
        F.adaptive_avg_pool2d(x, (3, 2)),
        F.adaptive_max_pool2d(x, (1, 4)),
        F.adaptive_max_pool2d(x, 1),
    )


def signals(x: Tensor) -> Outputs:
    return (
        F.avg_pool1d(x, 4),
        F.avg_pool1d(x, 3, 2, ceil_mode=True),
        F.max_pool1d(x, 2),
        F.adaptive_avg_pool1d(x, 1),
        F.adaptive_avg_pool1d(x, 3),
        F.adaptive_max_pool1d(x, 4),
        F.interpolate(x, scale_factor=2),
        F.interpolate(x, scale_factor=2, mode="linear"),
        F.conv1d(x, constant(4, 5, 3), constant(4), padding=1),
        F.conv_transpose1d(x, constant(5, 2, 4), stride=2),
    )


def sizes(x: Tensor) -> Outputs:
    return (
        F.interpolate(x, scale_factor=2),
        F.interpolate(x, (9, 12)),
        F.interpolate(x, scale_factor=(2, 3), mode="bilinear"),
        F.interpolate(x, (11, 15), mode="bilinear", align_corners=True),
    )


def convolutions(x: Tensor) -> Outputs:
    return (
        F.conv2d(x, constant(6, 3, 3, 3), constant(6), stride=2, padding=1),
        F.conv2d(x, constant(3, 1, 5, 3), padding=(2, 1), groups=3),
        F.conv2d(x, constant(6, 1, 2, 2), groups=3, dilation=2),
        F.conv2d(x, constant(4, 3, 3, 2), padding="same"),
        F.conv2d(x, constant(4, 3, 1, 1), padding="valid"),
        F.conv2d(F.conv2d(x, constant(4, 3, 1, 1)), constant(6, 2, 3, 3), groups=2),
        F.conv_transpose2d(x, constant(3, 2, 3, 3), constant(2), 2, 1, 1),
    )


CASES = {
    "activations": Case(activations, "celu elu log_sigmoid mish selu softplus threshold"),
    "arithmetic": Case(arithmetic, "abs add div expand mean mul rsub sub", (IMAGE, IMAGE)),
    "attention": Case(
        attention,
        "log_softmax scaled_dot_product_attention softmax",
        ((1, 2, 5, 4), (1, 2, 6, 4), (1, 2, 6, 3)),
        core="_log_softmax _softmax where",
    ),
    "clamps": Case(clamps, "clamp clamp_max clamp_min hardtanh maximum minimum relu relu6"),
    "constants": Case(constants, ""),
    "convolutions": Case(
        convolutions, "conv2d conv_transpose2d", core="constant_pad_nd convolution"
    ),
    "elementary": Case(
        elementary,
        "acos acosh asin asinh atan atanh ceil cos cosh erfc exp2 expm1 floor log10 log1p log2 "
        "round sign sin sinh tan trunc",
    ),
    "means": Case(means, "linalg_vector_norm sum"),
    "parts": Case(
        parts, "cat index index_select pad select slice split split_with_sizes stack unbind"
    ),
    "pools": Case(
        pools,
        "adaptive_avg_pool2d adaptive_max_pool2d avg_pool2d max_pool2d",
        core="_adaptive_avg_pool2d max_pool2d_with_indices",
    ),
    "powers": Case(powers, "exp log pow reciprocal rsqrt sqrt square"),
    "products": Case(
        products,
        "addmm baddbmm bmm linear matmul mm transpose unsqueeze view",
        (TOKENS, (1, 12, 7)),
        core="addmm mm bmm",
    ),
    "shared matrix": Case(shared_matrix, "", (TOKENS, (1, 12, 7))),
    "shuffled": Case(shuffled, "flip pixel_shuffle pixel_unshuffle repeat tril triu where"),
    "signals": Case(
        signals,
        "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d conv1d conv_transpose1d max_pool1d "
        "upsample_linear1d upsample_nearest1d",
        ((1, 5, 12),),
    ),
    "sizes": Case(sizes, "upsample_bilinear2d upsample_nearest2d"),
    "slopes": Case(slopes, "prelu"),
    "smooth": Case(smooth, "erf gelu hardsigmoid hardswish leaky_relu neg sigmoid silu tanh"),
    "views": Case(views, "_to_copy _unsafe_view as_strided clone detach permute squeeze"),
    "without batch": Case(without_batch, "layer_norm", (TOKENS,)),
}


class Norms(nn.Module):
    """All kinds of normalization, with statistics that are not trivial."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.signal = nn.BatchNorm2d(3), nn.BatchNorm1d(6, affine=False)
        self.layer, self.whole = nn.LayerNorm(8, eps=1e-6), nn.LayerNorm((6, 8))
        self.plain = nn.LayerNorm(8, bias=False)
        for norm in (self.image, self.signal):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
        for parameter in self.parameters():
            nn.init.normal_(parameter)

    def forward(self, x: Tensor) -> Outputs:
        return (
            self.image(x),
            self.signal(x.mean(1)),
            self.layer(x),
            self.whole(x),
            self.plain(x),
            F.layer_norm(x, (8,)),
        )


class Recorded(dict[str, Handler]):
    """A table of handlers that remembers which ones were asked for."""

    asked: ClassVar[set[str]] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    table = Recorded(HANDLERS)
    table.asked.clear()
    monkeypatch.setattr("tinyflow.importers.torch.convert.HANDLERS", table)
    return table


@pytest.mark.parametrize("case", CASES)
def test_functions(case: str, handlers: Recorded) -> None:
    assert_import_is_exact(Calls(CASES[case].function), CASES[case].shapes)
    assert handlers.asked >= set(CASES[case].covers.split())


NORMS = ("_native_batch_norm_legit_no_training layer_norm", "native_layer_norm")


@pytest.mark.parametrize("decomposed", [False, True])
def test_norms(decomposed: bool, handlers: Recorded) -> None:
    torch.manual_seed(0)
    assert_import_is_exact(Norms().eval(), (IMAGE,), decomposed)
    assert handlers.asked >= set(NORMS[decomposed].split())


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if case.core])
def test_core_operations(case: str, handlers: Recorded) -> None:
    """Programs that torch has taken apart into the core operations of ATen."""
    assert_import_is_exact(Calls(CASES[case].function), CASES[case].shapes, decomposed=True)
    assert handlers.asked >= set(CASES[case].core.split())


def test_nothing_is_computed_for_constants() -> None:
    graph = import_module(Calls(constants), examples((IMAGE,)))
    assert [n.op for n in graph.nodes] == [Op.ADD]


QUANTIZED = {name for name in HANDLERS if name.startswith("quantized_decomposed.")}
"""Tested with whole quantized models."""


def test_every_handler_is_tested_and_tells_its_rule() -> None:
    tested = " ".join((*(f"{case.covers} {case.core}" for case in CASES.values()), *NORMS))
    assert set(tested.split()) | QUANTIZED == set(HANDLERS)
    for handler in HANDLERS.values():
        assert rule(handler).endswith(".")
