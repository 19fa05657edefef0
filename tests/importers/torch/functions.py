"""Functions of one element that become a FUNCTION, as PyTorch calls them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tests.support.torch_programs import Outputs


def elementary(x: Tensor) -> Outputs:
    inside, above = torch.tanh(x) * 0.9, torch.exp(x)
    return (
        torch.sin(x),
        torch.cos(x),
        torch.tan(inside),
        torch.asin(inside),
        torch.acos(inside),
        torch.atan(x),
        torch.sinh(x),
        torch.cosh(x),
        torch.asinh(x),
        torch.acosh(above + 1),
        torch.atanh(inside),
        torch.sign(x),
        torch.floor(x * 3),
        torch.ceil(x * 3),
        torch.round(x * 3),
        torch.trunc(x * 3),
        torch.expm1(x),
        torch.exp2(x),
        torch.log1p(above),
        torch.log2(above),
        torch.log10(above),
        torch.erfc(x),
    )


def activations(x: Tensor) -> Outputs:
    return (
        F.elu(x),
        F.elu(x, 0.3),
        F.selu(x),
        F.celu(x, 2.5),
        F.softplus(x),
        F.softplus(x, 3.0),
        F.softsign(x),
        F.mish(x),
        F.logsigmoid(x),
        F.threshold(x, 0.2, 0.0),
        F.threshold(x, 0.2, -7.0),
        F.tanhshrink(x),
    )
