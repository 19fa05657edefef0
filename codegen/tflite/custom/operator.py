"""A layer as a custom operator: what builtin operators cannot say, our own kernels compute.

The parameters of a portable C kernel become the operator's options, its tables and weights
become constant operands. Both follow from the binding of the layer in `tinyflow.codegen.c.ops`, so
that every layer with a portable kernel has a custom operator, with the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.codegen.c.blocks import BlockPool
from tinyflow.codegen.c.constants import ConstantArray, ConstantPool
from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.literals import Struct
from tinyflow.codegen.c.ops import BINDINGS
from tinyflow.codegen.c.ops.rows import demand
from tinyflow.codegen.schedule import Schedule, Step
from tinyflow.codegen.schedule.placement import Placement
from tinyflow.codegen.schedule.schedule import Axis
from tinyflow.ir import Graph, Node, Tensor

PREFIX = "TinyFlow"
"""Every custom operator's name begins with it."""


@dataclass(frozen=True, eq=False)
class CustomOperator:
    """An operator with the result of its node as its one output.

    ``inputs`` name the tensors of the graph that the kernel reads row by row; ``constants``
    follow them as operands: a tensor whose name the graph has is that one, the others are new.
    ``options`` is a FlexBuffers map, the operator's custom options.
    """

    name: str
    inputs: tuple[str, ...]
    constants: tuple[Tensor, ...]
    options: bytes


def custom_operator(graph: Graph, node: Node) -> CustomOperator:
    """The custom operator of a node that has its integers.

    Raises `ValueError` where the node's portable kernel is not one call: such nodes move bytes,
    which builtin operators can say.
    """
    from flatbuffers import flexbuffers

    bound = bind_node(graph, node)
    return CustomOperator(
        name=operator_name(bound.call.kernel),
        inputs=bound.inputs,
        constants=bound.constants,
        options=bytes(flexbuffers.Dumps(bound.options)),
    )


def operator_name(kernel: str) -> str:
    """The custom operator of a portable kernel: TinyFlowLayerNorm of layer_norm_s8."""
    stem = kernel.removesuffix("_s8").removesuffix("_8")
    return PREFIX + "".join(word.capitalize() for word in stem.split("_"))


@dataclass(frozen=True, eq=False)
class BoundNode:
    """A node's call of its kernel. ``options`` are the fields of the kernel's parameters by
    name; a pointer's is the number of the operand that it points at, where 0 is none. Behind them
    stand the rows of operands and result, and what the kernel needs to run."""

    call: KernelCall
    inputs: tuple[str, ...]
    constants: tuple[Tensor, ...]
    options: dict[str, int]


def bind_node(graph: Graph, node: Node) -> BoundNode:
    """The one call that computes a node, on tensors that lie apart. Raises `ValueError`."""
    pool = ConstantPool()
    calls = BINDINGS[node.op](_layer(graph, node, pool))
    if len(calls) != 1:
        raise ValueError(f"'{node.name}' ({node.op.value}) takes {len(calls)} calls of its kernel")
    call = calls[0]
    arrays = {array.symbol: array for array in pool.arrays}
    by_role = _operand_names(graph, node)
    inputs = tuple(by_role[rows.variable] for rows in call.inputs)
    constants: list[Tensor] = []
    options: dict[str, int] = {}
    for line in call.fields:
        for field, value in line.items():
            if isinstance(value, Struct):
                options |= {f"{field}_{inner}": int(number) for inner, number in value.items()}
            elif isinstance(value, str):
                options[field] = len(inputs) + len(constants)
                constants.append(_constant(graph, node, field, arrays[value]))
            else:
                options[field] = int(value)
    for rows in (*call.inputs, call.output):
        options[f"{rows.variable}_stride"] = rows.stride
        options[f"{rows.variable}_ring"] = rows.ring
    options["rows"] = call.rows
    if call.scratch is not None:
        options["scratch"] = demand(graph, node).scratch_bytes
    return BoundNode(call, inputs, tuple(constants), options)


def _operand_names(graph: Graph, node: Node) -> dict[str, str]:
    roles = _layer(graph, node, ConstantPool()).roles
    return dict(zip(roles, node.inputs, strict=True))


def _constant(graph: Graph, node: Node, field: str, array: ConstantArray) -> Tensor:
    for operand in graph.operands(node):
        if operand.data is not None and array.data is operand.data:
            return operand
    return Tensor.constant(f"{node.output}/{field}", array.data)


def _layer(graph: Graph, node: Node, pool: ConstantPool) -> Layer:
    """The node as a layer of its own, whose tensors lie where its caller says."""
    step = Step(0, (node,), Axis.WHOLE, 1)
    scratch = {node.name: Placement(node.name, 0, demand(graph, node).scratch_bytes, 1, 0, 0)}
    schedule = Schedule(graph, (step,), {}, 0, 0, scratch)
    handed = frozenset({*node.inputs, node.output})
    return Layer(schedule, step, "layer", pool, BlockPool("layer"), handed=handed)
