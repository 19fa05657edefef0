"""What TFLite has no operator for, as several builtin ones, at a cost in accuracy: one table."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.codegen.tflite.lowering.argmax import lower_argmax
from tinyflow.codegen.tflite.lowering.attention import lower_attention
from tinyflow.codegen.tflite.lowering.average_pool import lower_average_pool
from tinyflow.codegen.tflite.lowering.chain import Chain, Samples
from tinyflow.codegen.tflite.lowering.channel_gate import lower_channel_gate
from tinyflow.codegen.tflite.lowering.cross_covariance import lower_cross_covariance
from tinyflow.codegen.tflite.lowering.gelu import lower_gelu
from tinyflow.codegen.tflite.lowering.layer_norm import lower_layer_norm
from tinyflow.codegen.tflite.lowering.table import lower_table
from tinyflow.codegen.tflite.writer import NoBuiltinError, Writer
from tinyflow.ir import Node, Op

CHAINS: dict[Op, Callable[[Chain, Node], None]] = {
    Op.ATTENTION: lower_attention,
    Op.AVERAGE_POOL: lower_average_pool,
    Op.CHANNEL_GATE: lower_channel_gate,
    Op.CROSS_COVARIANCE: lower_cross_covariance,
    Op.LAYER_NORM: lower_layer_norm,
}
"""Lowerings to 16 bits, whose scales follow from samples."""

PLAIN: dict[Op, Callable[[Writer, Node], None]] = {
    Op.ABS: lower_table,
    Op.ARGMAX: lower_argmax,
    Op.ERF: lower_table,
    Op.EXP: lower_table,
    Op.FUNCTION: lower_table,
    Op.GELU: lower_gelu,
    Op.HARD_SIGMOID: lower_table,
    Op.LOG: lower_table,
    Op.POWER: lower_table,
}
"""Lowerings that need none."""


def lower(writer: Writer, node: Node, samples: Samples) -> None:
    """Writes a node that has no handler of its own with builtin operators.

    Raises `NoBuiltinError` where there is no such way either.
    """
    if node.op in CHAINS:
        CHAINS[node.op](Chain(writer, node, samples), node)
    elif node.op in PLAIN:
        PLAIN[node.op](writer, node)
    else:
        raise NoBuiltinError(f"TFLite has no operators for {node.op.value}")


__all__ = ["CHAINS", "PLAIN", "Samples", "lower"]
