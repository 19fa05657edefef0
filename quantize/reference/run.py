"""Runs a quantized graph in integers, any number of inputs at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinyflow.errors import DataError
from tinyflow.ir import Graph, Node, Op, batches
from tinyflow.ir.execute import Arrays, Observer, run_nodes
from tinyflow.quantize.reference.accumulate import accumulate
from tinyflow.quantize.reference.add import add
from tinyflow.quantize.reference.argmax import argmax
from tinyflow.quantize.reference.attention import attention
from tinyflow.quantize.reference.channel_gate import channel_gate
from tinyflow.quantize.reference.cross_covariance import cross_covariance
from tinyflow.quantize.reference.detection import detection
from tinyflow.quantize.reference.l2_norm import l2_norm
from tinyflow.quantize.reference.layer_norm import layer_norm
from tinyflow.quantize.reference.matmul import matmul
from tinyflow.quantize.reference.mean import mean
from tinyflow.quantize.reference.move import move
from tinyflow.quantize.reference.mul import mul
from tinyflow.quantize.reference.pad import pad
from tinyflow.quantize.reference.pool import average_pool, max_pool
from tinyflow.quantize.reference.prelu import prelu
from tinyflow.quantize.reference.resize_bilinear import resize_bilinear
from tinyflow.quantize.reference.softmax import softmax
from tinyflow.quantize.reference.table import look_up
from tinyflow.quantize.site import Site

REFERENCE: dict[Op, Callable[..., np.ndarray]] = {
    Op.ABS: look_up,
    Op.ADD: add,
    Op.ARGMAX: argmax,
    Op.ATTENTION: attention,
    Op.AVERAGE_POOL: average_pool,
    Op.CHANNEL_GATE: channel_gate,
    Op.CLAMP: look_up,
    Op.CONCAT: move,
    Op.CONV_2D: accumulate,
    Op.CROSS_COVARIANCE: cross_covariance,
    Op.DEPTHWISE_CONV_2D: accumulate,
    Op.DETECTION: detection,
    Op.ERF: look_up,
    Op.EXP: look_up,
    Op.FULLY_CONNECTED: accumulate,
    Op.FUNCTION: look_up,
    Op.GELU: look_up,
    Op.HARD_SIGMOID: look_up,
    Op.HARD_SWISH: look_up,
    Op.L2_NORM: l2_norm,
    Op.LAYER_NORM: layer_norm,
    Op.LEAKY_RELU: look_up,
    Op.LOG: look_up,
    Op.MATMUL: matmul,
    Op.MAXIMUM: move,
    Op.MAX_POOL: max_pool,
    Op.MEAN: mean,
    Op.MINIMUM: move,
    Op.MUL: mul,
    Op.PAD: pad,
    Op.POWER: look_up,
    Op.PRELU: prelu,
    Op.QUANTIZE: look_up,
    Op.RESHAPE: move,
    Op.RESIZE_BILINEAR: resize_bilinear,
    Op.RESIZE_NEAREST: move,
    Op.SIGMOID: look_up,
    Op.SLICE: move,
    Op.SOFTMAX: softmax,
    Op.SUB: add,
    Op.TANH: look_up,
    Op.TRANSPOSE: move,
    Op.TRANSPOSE_CONV_2D: accumulate,
}
"""``REFERENCE[op](site, *arrays)`` computes a node's output codes [batch, ...]."""


def run_reference(
    graph: Graph, inputs: Mapping[str, np.ndarray], observe: Observer | None = None
) -> Arrays:
    """The graph's output codes for a batch of input codes [batch, ...] in the graph's layout.

    ``observe(name, array)`` sees each activation, graph inputs included, as soon as it is
    computed. Raises `DataError` where an input is missing or of another type or shape.
    """
    rounding = graph.rounding
    if rounding is None:
        raise ValueError("the graph has no integers yet: attach_integers comes first")
    activations = {name: _checked(graph, name, inputs) for name in graph.inputs}
    constants = {name: t.value for name, t in graph.constants.items()}

    def evaluate(node: Node, operands: list[np.ndarray]) -> np.ndarray:
        return REFERENCE[node.op](Site.of(graph, node, rounding), *operands)

    return run_nodes(graph, activations, constants, evaluate, observe)


def run_reference_batched(
    graph: Graph, inputs: Mapping[str, np.ndarray], batch_size: int = 64
) -> Arrays:
    """As `run_reference`, over any number of inputs in bounded memory."""
    parts = [run_reference(graph, batch) for batch in batches(inputs, batch_size)]
    return {name: np.concatenate([p[name] for p in parts]) for name in graph.outputs}


def _checked(graph: Graph, name: str, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    tensor = graph.tensors[name]
    if name not in inputs:
        raise DataError(f"the input '{name}' is missing")
    array = np.asarray(inputs[name])
    if array.dtype != tensor.dtype.numpy or array.shape[1:] != tensor.shape[1:]:
        raise DataError(
            f"the input '{name}' is {array.dtype}{list(array.shape)}, "
            f"the model takes {tensor.dtype.value}{['batch', *tensor.shape[1:]]}"
        )
    return array
