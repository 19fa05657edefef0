"""What the C backend asks of a graph: one function per rule.

Each function takes the graph and a node and returns None where the rule holds, else what is
wrong. Its docstring is the rule as users read it: a sentence, and after a blank line the remedy.
The checker prints both, and the page of supported operators is made from them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from tinyflow.codegen.c.ops import attention, cross_covariance
from tinyflow.errors import Obstacle
from tinyflow.ir import OPS, DType, Graph, Node, Op, Tensor

Constraint = Callable[[Graph, Node], str | None]

_KERNEL_TYPES = (DType.FLOAT32, DType.INT8)
_FURTHER_TYPES: dict[Op, tuple[DType, ...]] = {
    Op.ARGMAX: (DType.UINT8, DType.INT16),
    Op.DETECTION: (DType.INT32,),
    Op.QUANTIZE: (DType.UINT8,),
    Op.SOFTMAX: (DType.INT16,),
}
_LARGEST_TENSOR = 2**31 - 1
_LONGEST_SOFTMAX = 4095
_LARGEST_RESIZE = 2**15 - 1
_WIDEST_L2_NORM = 33025
_WIDEST_LAYER_NORM = 2**16
_MOST_KEYS = 4096
_LARGEST_HEAD = 2**15
_MOST_TOKENS = 2**15


def rank_at_most_4(graph: Graph, node: Node) -> str | None:
    """A tensor has at most four axes.

    Merge axes with a reshape, or let the model work on single images and vectors.
    """
    return _first(
        f"'{t.name}' has the shape {list(t.shape)}"
        for t in _tensors(graph, node)
        if len(t.shape) > 4
    )


def batch_of_one(graph: Graph, node: Node) -> str | None:
    """The first axis of an activation is the batch, and its size is 1.

    Export the model with a batch of 1, and keep the first axis where it is.
    """
    return _first(
        f"'{t.name}' has the shape {list(t.shape)}"
        for t in _activations(graph, node)
        if t.shape and t.shape[0] != 1
    )


def supported_types(graph: Graph, node: Node) -> str | None:
    """Activations are float32 before quantization and int8 after it; uint8 is possible only for
    what QUANTIZE reads or writes, int16 for what SOFTMAX writes.

    Export the model in float32, or quantize it to int8 with per-tensor activations.
    """
    allowed = (*_KERNEL_TYPES, *_FURTHER_TYPES.get(node.op, ()))
    return _first(
        f"'{t.name}' is {t.dtype.value}"
        for t in _activations(graph, node)
        if t.dtype not in allowed
    )


def activation_per_tensor(graph: Graph, node: Node) -> str | None:
    """A quantized activation has one scale and one zero point for the whole tensor.

    Quantize activations per tensor; only weights may have a scale per channel.
    """
    return _first(
        f"'{t.name}' has {len(t.quant.scales)} scales"
        for t in _activations(graph, node)
        if t.quant is not None and t.quant.axis is not None
    )


def computed_at_run_time(graph: Graph, node: Node) -> str | None:
    """At least one operand of a layer depends on the model's input.

    Store the layer's result in the model as a constant.
    """
    if all(t.is_constant for t in graph.operands(node)):
        return "all of its operands are constants"
    return None


def tensor_below_2_gb(graph: Graph, node: Node) -> str | None:
    """A tensor takes less than 2 GiB.

    Use a smaller input.
    """
    return _first(
        f"'{t.name}' has {t.elements} elements"
        for t in _tensors(graph, node)
        if t.nbytes > _LARGEST_TENSOR
    )


def same_scale(graph: Graph, node: Node) -> str | None:
    """In an int8 model, a layer that only moves, selects or averages codes has the same scale and
    zero point in its operands and its result.

    Insert a quantize layer before it, or start from the float model.
    """
    quants = [t.quant for t in [*graph.operands(node), graph.result(node)]]
    if None not in quants and any(q != quants[0] for q in quants):
        return "its operands and its result have different scales or zero points"
    return None


def constant_weights(graph: Graph, node: Node) -> str | None:
    """Weights and biases are constants of the model.

    Export weights as initializers; only MatMul multiplies two activations.
    """
    roles = OPS[node.op].inputs
    return _first(
        f"its {role.rstrip('?')} '{t.name}' is computed"
        for role, t in list(zip(roles, graph.operands(node), strict=False))[1:]
        if not t.is_constant
    )


def weight_types(graph: Graph, node: Node) -> str | None:
    """Weights are float32 or int8, biases float32 or int32.

    Export the model in float32, or quantize its weights to int8.
    """
    operands = graph.operands(node)
    if operands[1].dtype not in _KERNEL_TYPES:
        return f"its weight '{operands[1].name}' is {operands[1].dtype.value}"
    if len(operands) > 2 and operands[2].dtype not in (DType.FLOAT32, DType.INT32):
        return f"its bias '{operands[2].name}' is {operands[2].dtype.value}"
    return None


def symmetric_weights(graph: Graph, node: Node) -> str | None:
    """Quantized weights are symmetric: their zero points are 0.

    Quantize weights symmetrically, or start from the float model.
    """
    quant = graph.operands(node)[1].quant
    if quant is not None and any(quant.zero_points):
        return f"its weight has the zero points {sorted(set(quant.zero_points))}"
    return None


def softmax_size(graph: Graph, node: Node) -> str | None:
    """The last axis has at most 4095 entries.

    Leave the softmax out: it does not change which class is first.
    """
    size = graph.result(node).shape[-1]
    return f"its last axis has {size} entries" if size > _LONGEST_SOFTMAX else None


def l2_norm_size(graph: Graph, node: Node) -> str | None:
    """An L2 normalization has at most 33025 channels: more squares of codes can leave 32 bits.

    Normalize fewer channels at a time.
    """
    size = graph.result(node).shape[-1]
    return f"it has {size} channels" if size > _WIDEST_L2_NORM else None


def layer_norm_size(graph: Graph, node: Node) -> str | None:
    """A layer normalization has at most 65536 channels.

    Normalize fewer channels at a time.
    """
    size = graph.result(node).shape[-1]
    return f"it has {size} channels" if size > _WIDEST_LAYER_NORM else None


def resize_size(graph: Graph, node: Node) -> str | None:
    """Images have at most 32767 rows and columns.

    Use a smaller image.
    """
    shapes = [graph.operands(node)[0].shape, graph.result(node).shape]
    largest = max(size for shape in shapes for size in shape[1:3])
    return f"it has {largest} rows or columns" if largest > _LARGEST_RESIZE else None


def attention_size(graph: Graph, node: Node) -> str | None:
    """An attention has at most 4096 keys and 32768 channels in a head.

    Use a smaller input, or pool keys and values first.
    """
    keys, _, depth, _ = attention.sizes(graph, node)
    if keys > _MOST_KEYS:
        return f"it has {keys} keys"
    return f"its heads have {depth} channels" if depth > _LARGEST_HEAD else None


def batch_norm_is_folded(graph: Graph, node: Node) -> str | None:
    """A batch normalization stands next to a convolution or fully connected layer, into which it
    is folded.

    Write it as a depthwise convolution with a 1x1 kernel.
    """
    return "no neighbouring layer can take it in"


def division_is_by_constant(graph: Graph, node: Node) -> str | None:
    """A division is by a constant, or part of a known pattern such as a normalization.

    Multiply by the inverse, if that can be computed beforehand.
    """
    return "two tensors that depend on the input are divided"


def cross_covariance_size(graph: Graph, node: Node) -> str | None:
    """A cross-covariance attention has at most 32768 tokens and 4096 channels in a head, and a
    constant temperature.

    Use a smaller input.
    """
    tokens, _, depth = cross_covariance.sizes(graph, node)
    if tokens > _MOST_TOKENS:
        return f"it has {tokens} tokens"
    if depth > _MOST_KEYS:
        return f"its heads have {depth} channels"
    return None if graph.operands(node)[3].is_constant else "its temperature is computed"


EVERY_OP: tuple[Constraint, ...] = (
    rank_at_most_4,
    batch_of_one,
    supported_types,
    activation_per_tensor,
    computed_at_run_time,
    tensor_below_2_gb,
)
"""Rules for every operation, in the order in which they are checked."""

_WEIGHTED = (constant_weights, weight_types)

PER_OP: dict[Op, tuple[Constraint, ...]] = {
    Op.ATTENTION: (attention_size,),
    Op.AVERAGE_POOL: (same_scale,),
    Op.BATCH_NORM: (batch_norm_is_folded,),
    Op.CONCAT: (same_scale,),
    Op.CONV_2D: (*_WEIGHTED, symmetric_weights),
    Op.CROSS_COVARIANCE: (cross_covariance_size,),
    Op.DEPTHWISE_CONV_2D: (*_WEIGHTED, symmetric_weights),
    Op.DIV: (division_is_by_constant,),
    Op.FULLY_CONNECTED: _WEIGHTED,
    Op.L2_NORM: (l2_norm_size,),
    Op.LAYER_NORM: (constant_weights, layer_norm_size),
    Op.MAXIMUM: (same_scale,),
    Op.MAX_POOL: (same_scale,),
    Op.MINIMUM: (same_scale,),
    Op.PAD: (same_scale,),
    Op.RESHAPE: (same_scale,),
    Op.RESIZE_BILINEAR: (same_scale, resize_size),
    Op.RESIZE_NEAREST: (same_scale, resize_size),
    Op.SLICE: (same_scale,),
    Op.SOFTMAX: (softmax_size,),
    Op.TRANSPOSE: (same_scale,),
    Op.TRANSPOSE_CONV_2D: (*_WEIGHTED, symmetric_weights),
}
"""Further rules of single operations."""


def constraints_of(op: Op) -> tuple[Constraint, ...]:
    """Every rule that holds for an operation."""
    return (*EVERY_OP, *PER_OP.get(op, ()))


def rule_and_remedy(constraint: Constraint) -> tuple[str, str]:
    """The two parts of a constraint's docstring, each on one line."""
    text = inspect.getdoc(constraint) or ""
    rule, _, remedy = text.partition("\n\n")
    return " ".join(rule.split()), " ".join(remedy.split())


def find_obstacles(graph: Graph) -> list[Obstacle]:
    """All that keeps a canonical graph from being compiled, by source layer name."""
    return [*_layer_obstacles(graph), *_output_obstacles(graph)]


def _layer_obstacles(graph: Graph) -> Iterator[Obstacle]:
    for node in graph.nodes:
        for constraint in constraints_of(node.op):
            if reason := constraint(graph, node):
                rule, remedy = rule_and_remedy(constraint)
                yield Obstacle(f"{node.name} ({node.op.value})", f"{reason}. {rule}", remedy)
                break


def _output_obstacles(graph: Graph) -> Iterator[Obstacle]:
    for name in graph.outputs:
        if graph.producer(name) is None:
            what = "a constant" if graph.tensors[name].is_constant else "an input of the model"
            yield Obstacle(
                name,
                f"this output of the model is {what}. An output is computed by a layer.",
                "Take it out of the model's outputs.",
            )


def _tensors(graph: Graph, node: Node) -> list[Tensor]:
    return [*graph.operands(node), graph.result(node)]


def _activations(graph: Graph, node: Node) -> list[Tensor]:
    return [t for t in _tensors(graph, node) if not t.is_constant]


def _first(reasons: Iterator[Any]) -> str | None:
    return next(reasons, None)
