"""The TensorIR of each operation: one file each, one table."""

from __future__ import annotations

from tinyflow.codegen.tvm.kernel import Lowering
from tinyflow.codegen.tvm.ops import table
from tinyflow.ir import Op

LOWERINGS: dict[Op, Lowering] = {
    Op.ABS: table.lower,
    Op.CLAMP: table.lower,
    Op.ERF: table.lower,
    Op.EXP: table.lower,
    Op.FUNCTION: table.lower,
    Op.GELU: table.lower,
    Op.HARD_SIGMOID: table.lower,
    Op.HARD_SWISH: table.lower,
    Op.LEAKY_RELU: table.lower,
    Op.LOG: table.lower,
    Op.POWER: table.lower,
    Op.QUANTIZE: table.lower,
    Op.SIGMOID: table.lower,
    Op.TANH: table.lower,
}
"""``LOWERINGS[op](graph, node)`` is the kernel of a quantized node."""

__all__ = ["LOWERINGS"]
