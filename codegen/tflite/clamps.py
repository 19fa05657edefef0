"""Fused activations: by name where TFLite has one, as operators of their own elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tinyflow.codegen.tflite.writer import Writer
from tinyflow.ir import NO_CLAMP, RELU, RELU6, Clamp, Node, Tensor


class Activation(IntEnum):
    """TFLite's ``ActivationFunctionType``, as far as it is a clamp."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3


_CLAMPS = {
    Activation.NONE: NO_CLAMP,
    Activation.RELU: RELU,
    Activation.RELU_N1_TO_1: Clamp(-1.0, 1.0),
    Activation.RELU6: RELU6,
}


def codes_of(clamp: Clamp, tensor: Tensor) -> tuple[int, int]:
    """The lowest and highest code that a clamp leaves, as runtimes compute them."""
    info = np.iinfo(tensor.dtype.numpy)
    bounds = np.array([clamp.lo, clamp.hi])
    lo, hi = tensor.params.quantize(np.clip(bounds, -1e30, 1e30), tensor.dtype)
    return (
        int(lo) if np.isfinite(clamp.lo) else int(info.min),
        int(hi) if np.isfinite(clamp.hi) else int(info.max),
    )


@dataclass(frozen=True)
class Fused:
    """How an operator's clamp is written: ``activation`` stands in its options and ``output`` is
    the index that it writes to; `finish` appends what the activation leaves to do."""

    activation: int
    output: int
    rest: tuple[tuple[str, int], ...] = ()

    def finish(self, writer: Writer, node: Node) -> None:
        """Emits a MAXIMUM and a MINIMUM by a constant code, where they are needed."""
        clamp_codes(writer, node, self.output, self.rest)


def fuse(writer: Writer, node: Node, clamp: Clamp) -> Fused:
    """The activation whose codes are those of ``clamp``, or the nearest one below it."""
    tensor = writer.graph.result(node)
    wanted = codes_of(clamp, tensor)
    for activation, candidate in sorted(_CLAMPS.items(), key=lambda item: item[1] != clamp):
        if codes_of(candidate, tensor) == wanted:
            return Fused(activation, writer.result(node))
    whole = codes_of(NO_CLAMP, tensor)
    rest = remaining(whole, wanted)
    between = writer.inner(node, "unclamped", tensor.shape, tensor.dtype, tensor.quant)
    return Fused(Activation.NONE, between, rest)


def remaining(whole: tuple[int, int], wanted: tuple[int, int]) -> tuple[tuple[str, int], ...]:
    """The operators, with their codes, that narrow a range of codes to another."""
    steps = []
    if wanted[0] > whole[0]:
        steps.append(("MAXIMUM", wanted[0]))
    if wanted[1] < whole[1]:
        steps.append(("MINIMUM", wanted[1]))
    return tuple(steps)


def clamp_codes(
    writer: Writer, node: Node, source: int, steps: tuple[tuple[str, int], ...]
) -> None:
    """From the tensor ``source``, which has the output's quantization, to the node's output."""
    tensor = writer.graph.result(node)
    for number, (operator, code) in enumerate(steps, 1):
        bound = writer.constant(node, "bound", [code], tensor.dtype.numpy.type, tensor.quant)
        target = writer.result(node)
        if number < len(steps):
            target = writer.inner(node, "below", tensor.shape, tensor.dtype, tensor.quant)
        writer.emit(operator, [source, bound], [target], "MaximumMinimumOptions")
        source = target
