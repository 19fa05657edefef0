"""Computes, with torch itself, what does not depend on the model's inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.fx import Node
from torch.utils import _pytree as pytree

from tinyflow.importers.common.builder import Builder
from tinyflow.importers.common.layer import RefusalError
from tinyflow.importers.torch.layers import Names, op_name
from tinyflow.importers.torch.table import MOVES

_BY_SHAPE = {"full_like", "zeros_like", "ones_like", "empty_like", "isinf", "isnan"}
"""Their results depend on no element, only on the shape: what a network computes is finite."""


def fold(node: Node, builder: Builder, names: Names) -> bool:
    """Adds the node's results to the builder's constants; False if they are not constant."""
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return False
    if torch.Tag.nondeterministic_seeded in target.tags or _dequantizes(node):
        return False
    operands = {n: names.value(n, "") for n in node.all_input_nodes}
    by_shape = op_name(node) in _BY_SHAPE or _meets_infinity(node)
    if not all(
        name in builder.constants or (by_shape and builder.knows(name))
        for name in operands.values()
    ):
        return False

    def computed(argument: Any) -> Any:
        if isinstance(argument, Node):
            name = operands[argument]
            if name not in builder.constants:
                return torch.zeros(builder.known_shape(name))
            return as_tensor(builder.constants[name])
        return torch.device("cpu") if isinstance(argument, torch.device) else argument

    args, kwargs = pytree.tree_map(computed, (node.args, node.kwargs))
    try:
        with torch.no_grad():
            results = target(*args, **kwargs)
    # Torch's kernels raise errors of every kind.
    except Exception as error:
        raise RefusalError(f"its constant result cannot be computed ({error})") from None
    own = names.of[node]
    if isinstance(own, str):
        own, results = (own,), (results,)
    for name, value in zip(own, results, strict=True):
        if isinstance(value, torch.Tensor):
            builder.constants[name] = as_array(value)
            moved = operands[node.all_input_nodes[0]] if op_name(node) in MOVES else ""
            if moved in builder.scales:
                builder.scales[name] = builder.scales[moved]
    return True


def _dequantizes(node: Node) -> bool:
    """Its handler takes constants too, and remembers their scales."""
    return op_name(node).startswith("quantized_decomposed.dequantize")


def _meets_infinity(node: Node) -> bool:
    """Whether a node compares with an infinite number, as the safe form of softmax does."""
    compares = op_name(node) in ("eq", "ne")
    return compares and any(isinstance(a, float) and math.isinf(a) for a in node.args)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """Float values of any width in float32; integers and booleans as they are."""
    plain = tensor.detach().cpu()
    plain = plain.float() if plain.is_floating_point() else plain
    return np.asarray(plain.contiguous().numpy())


def as_tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))
