"""The nodes of an exported program as `Layer`s, named after the modules they come from."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.fx import Node

from tinyflow.importers.common.layer import Layer
from tinyflow.ir import Shape


@dataclass
class Names:
    """The source values that the nodes of a program stand for; a node with several results has a
    tuple of them. ``numbers`` are operands that the program states as plain numbers."""

    of: dict[Node, str | tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)

    def value(self, argument: Any, stem: str) -> str:
        """The name of an operand; '' for one that is left out."""
        if argument is None:
            return ""
        if isinstance(argument, Node):
            name = self.of[argument]
            return name if isinstance(name, str) else name[0]
        self.numbers[stem] = np.asarray(argument, dtype=np.float32)
        return stem


def op_name(node: Node) -> str:
    """'conv2d' for aten.conv2d.default; others with their namespace."""
    if node.target is operator.getitem:
        return "getitem"
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return getattr(target, "__name__", str(target))
    space, _, name = target._schema.name.partition("::")
    return name if space == "aten" else f"{space}.{name}"


def shapes_of(node: Node) -> tuple[Shape, ...]:
    """The shapes of a node's results; () for those that are no tensors."""
    value = node.meta.get("val")
    parts = value if isinstance(value, tuple | list) else (value,)
    return tuple(
        tuple(int(d) for d in p.shape) if isinstance(p, torch.Tensor) else () for p in parts
    )


def result_names(node: Node) -> str | tuple[str, ...]:
    if isinstance(node.meta.get("val"), tuple | list):
        return tuple(f"{node.name}.{i}" for i in range(len(node.meta["val"])))
    return node.name


def schema_of(node: Node) -> torch.FunctionSchema:
    """The signature of the operation that a node calls."""
    assert isinstance(node.target, torch._ops.OpOverload)
    return node.target._schema


def layer_of(node: Node, name: str, names: Names, used: set[str]) -> Layer:
    """Tensor operands, in the order of the operation's signature, become inputs, everything else
    attributes by its name there, with defaults filled in."""
    inputs: list[str] = []
    attributes: dict[str, Any] = {}
    for index, argument in enumerate(schema_of(node).arguments):
        if index < len(node.args) and not argument.kwarg_only:
            value = node.args[index]
        elif argument.name in node.kwargs:
            value = node.kwargs[argument.name]
        else:
            value = argument.default_value if argument.has_default_value() else None
        kind = str(argument.type)
        if "Tensor" in kind and isinstance(value, tuple | list):
            inputs.extend(
                names.value(v, f"{node.name}.{argument.name}.{i}") for i, v in enumerate(value)
            )
        elif "Tensor" in kind or argument.name == "other":
            inputs.append(names.value(value, f"{node.name}.{argument.name}"))
        elif value is not None:
            attributes[argument.name] = value
    own = names.of[node]
    outputs = (own,) if isinstance(own, str) else own
    return Layer(
        name=name,
        op=op_name(node),
        inputs=tuple(inputs),
        outputs=tuple(o if o in used else "" for o in outputs),
        attributes=attributes,
        shapes=shapes_of(node),
    )


def module_of(node: Node) -> str:
    """The path of the module that a node comes from."""
    stack = node.meta.get("nn_module_stack") or {}
    return str(list(stack.values())[-1][0]) if stack else ""


def layer_names(nodes: Sequence[Node]) -> dict[Node, str]:
    """A unique name for every node: the path of its module where that module computes nothing
    else, else the path and the operation."""
    paths = Counter(module_of(node) for node in nodes)
    parents = {path[:end] for path in paths for end in range(len(path)) if path[end] == "."}
    taken: set[str] = set()
    names = {}
    for node in nodes:
        path = module_of(node)
        alone = path and paths[path] == 1 and path not in parents
        stem = path if alone else "/".join(p for p in (path, op_name(node)) if p)
        name, number = stem, 0
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name)
        names[node] = name
    return names
