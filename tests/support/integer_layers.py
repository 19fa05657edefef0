"""Builds int8 graphs layer by layer, with the weights and biases in codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from tests.support.graphs import GraphBuilder
from tinyflow.ir import RELU, Attrs, DType, Graph, Op, QuantParams, Shape
from tinyflow.ir.integer import IntegerForm
from tinyflow.ir.ops.concat import ConcatAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs
from tinyflow.ir.ops.fully_connected import FullyConnectedAttrs
from tinyflow.ir.ops.spatial import NO_PADDING, Padding
from tinyflow.quantize.attach import attach_integers
from tinyflow.quantize.forms.accumulate import OUTPUT_AXIS

ACTIVATION = QuantParams.per_tensor(0.05, -128)
WEIGHT_SCALE = 0.02
SAME: Padding = ((1, 1), (1, 1))
DEAD = -(2**22)
"""A bias below which no sum of a small layer rises to the ReLU's bound."""


class LayerBuilder(GraphBuilder):
    """All activations share `ACTIVATION`, so that the zero point is ReLU's lower bound."""

    def image(self, name: str, shape: Shape) -> str:
        return self.input(name, shape, DType.INT8, ACTIVATION)

    def weights(self, shape: Shape) -> np.ndarray:
        """No zeros."""
        codes = self.rng.integers(1, 127, shape) * self.rng.choice([-1, 1], shape)
        return codes.astype(np.int8)

    def biases(self, channels: int, dead: Sequence[int] = (), code: int = DEAD) -> np.ndarray:
        """Positive ones, which keep a channel alive, and ``code`` for the channels of ``dead``."""
        bias = self.rng.integers(100, 500, channels).astype(np.int32)
        bias[list(dead)] = code
        return bias

    def layer(
        self,
        op: Op,
        x: str,
        weight: np.ndarray,
        bias: np.ndarray | None,
        attrs: Attrs,
        name: str,
        numbers: Sequence[int] | None = None,
    ) -> str:
        """Each output channel has a weight scale of its own, which follows from its number."""
        axis = OUTPUT_AXIS[op]
        numbers = range(weight.shape[axis]) if numbers is None else numbers
        scales = WEIGHT_SCALE * (1 + np.array(numbers) % 5 / 8)
        operands = [x, self.constant(f"{name}/w", weight, QuantParams.per_channel(scales, axis))]
        if bias is not None:
            quant = QuantParams.per_channel(np.float32(scales) * ACTIVATION.scale, 0)
            operands.append(self.constant(f"{name}/b", bias, quant))
        return self.node(op, operands, attrs, name, ACTIVATION)

    def conv(
        self,
        x: str,
        weight: np.ndarray,
        bias: np.ndarray | None,
        name: str,
        padding: Padding = NO_PADDING,
        groups: int = 1,
        stride: int = 1,
        numbers: Sequence[int] | None = None,
    ) -> str:
        attrs = Conv2DAttrs((stride, stride), padding, groups=groups, clamp=RELU)
        return self.layer(Op.CONV_2D, x, weight, bias, attrs, name, numbers)

    def depthwise(
        self,
        x: str,
        weight: np.ndarray,
        bias: np.ndarray,
        name: str,
        padding: Padding = SAME,
        stride: int = 1,
        numbers: Sequence[int] | None = None,
    ) -> str:
        attrs = DepthwiseConv2DAttrs((stride, stride), padding, clamp=RELU)
        return self.layer(Op.DEPTHWISE_CONV_2D, x, weight, bias, attrs, name, numbers)

    def dense(self, x: str, weight: np.ndarray, bias: np.ndarray | None, name: str) -> str:
        return self.layer(Op.FULLY_CONNECTED, x, weight, bias, FullyConnectedAttrs(), name)

    def same_scale(self, op: Op, inputs: Sequence[str], attrs: Attrs | None, name: str) -> str:
        return self.node(op, inputs, attrs, name, ACTIVATION)

    def concat(self, inputs: Sequence[str], name: str, axis: int = 3) -> str:
        return self.same_scale(Op.CONCAT, inputs, ConcatAttrs(axis), name)

    def finish(self, *outputs: str) -> Graph:
        return attach_integers(self.build(*outputs))


def assert_same_integers(actual: Graph, expected: Graph) -> None:
    """Nodes of the same name have equal integer forms."""
    assert [n.name for n in actual.nodes] == [n.name for n in expected.nodes]
    for mine, other in zip(actual.nodes, expected.nodes, strict=True):
        assert type(mine.integer) is type(other.integer)
        for field, value in _fields(mine.integer).items():
            np.testing.assert_array_equal(value, _fields(other.integer)[field], err_msg=mine.name)


def _fields(form: IntegerForm | None) -> dict[str, Any]:
    assert form is not None
    return {
        name: vars(value) if is_dataclass(value) else value for name, value in vars(form).items()
    }
