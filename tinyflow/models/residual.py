"""The addition at the end of every residual branch."""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """``x + branch``, as a module so that hooks see what a branch adds to what."""

    def forward(self, x: torch.Tensor, branch: torch.Tensor) -> torch.Tensor:
        return x + branch
