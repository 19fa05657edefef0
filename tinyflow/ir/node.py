"""Operations of a graph."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum

from tinyflow.ir.integer import IntegerForm


class Op(Enum):
    """The closed set of operations; facts about each stand in `tinyflow.ir.ops`."""

    ABS = "ABS"
    ADD = "ADD"
    ARGMAX = "ARGMAX"
    ATTENTION = "ATTENTION"
    AVERAGE_POOL = "AVERAGE_POOL"
    BATCH_NORM = "BATCH_NORM"
    CHANNEL_GATE = "CHANNEL_GATE"
    CLAMP = "CLAMP"
    CONCAT = "CONCAT"
    CONV_2D = "CONV_2D"
    CROSS_COVARIANCE = "CROSS_COVARIANCE"
    DEPTHWISE_CONV_2D = "DEPTHWISE_CONV_2D"
    DETECTION = "DETECTION"
    DIV = "DIV"
    ERF = "ERF"
    EXP = "EXP"
    FAKE_QUANT = "FAKE_QUANT"
    FULLY_CONNECTED = "FULLY_CONNECTED"
    FUNCTION = "FUNCTION"
    GELU = "GELU"
    HARD_SIGMOID = "HARD_SIGMOID"
    HARD_SWISH = "HARD_SWISH"
    L2_NORM = "L2_NORM"
    LAYER_NORM = "LAYER_NORM"
    LEAKY_RELU = "LEAKY_RELU"
    LOG = "LOG"
    MATMUL = "MATMUL"
    MAXIMUM = "MAXIMUM"
    MAX_POOL = "MAX_POOL"
    MEAN = "MEAN"
    MINIMUM = "MINIMUM"
    MUL = "MUL"
    PAD = "PAD"
    POWER = "POWER"
    PRELU = "PRELU"
    QUANTIZE = "QUANTIZE"
    RESHAPE = "RESHAPE"
    RESIZE_BILINEAR = "RESIZE_BILINEAR"
    RESIZE_NEAREST = "RESIZE_NEAREST"
    SIGMOID = "SIGMOID"
    SLICE = "SLICE"
    SOFTMAX = "SOFTMAX"
    SUB = "SUB"
    TANH = "TANH"
    TRANSPOSE = "TRANSPOSE"
    TRANSPOSE_CONV_2D = "TRANSPOSE_CONV_2D"


@dataclass(frozen=True)
class Attrs:
    """Base of the attributes of an operation; an operation without any uses it as it is."""

    def __str__(self) -> str:
        return ", ".join(f"{f.name}={_show(getattr(self, f.name))}" for f in fields(self))


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ",".join(_show(v) for v in value) + ")"
    return str(value)


@dataclass(frozen=True, eq=False)
class Node:
    """One operation. ``name`` is the source model's name for the layer, through every rewrite.

    ``sources`` are the names of all source layers that were merged into this one, in order.
    ``integer`` is there once the node is quantized: all that its integer kernel needs to know
    and a backend must not compute for itself.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Attrs = field(default_factory=Attrs)
    sources: tuple[str, ...] = ()
    integer: IntegerForm | None = None

    @property
    def output(self) -> str:
        """The output of a node that has exactly one."""
        (name,) = self.outputs
        return name

    def __str__(self) -> str:
        attrs = f" {{{self.attrs}}}" if str(self.attrs) else ""
        call = f"{self.op.value}({', '.join(self.inputs)}){attrs}"
        return f"{', '.join(self.outputs)} = {call}  # {self.name}"
