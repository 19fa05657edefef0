"""How the interpreter's resolver is told which operators a model has."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.codegen.tflite.file import OperatorUse

_SPELLINGS = {
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "BATCH_MATMUL": "AddBatchMatMul",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "L2_NORMALIZATION": "AddL2Normalization",
    "MAX_POOL_2D": "AddMaxPool2D",
    "PADV2": "AddPadV2",
}
"""Methods that are not spelt as their operator's words are."""


@dataclass(frozen=True)
class Registration:
    """An operator and how the generated code names it: the resolver's ``method`` that adds a
    builtin operator, or the ``variable`` that holds a custom one."""

    name: str
    custom: bool

    @property
    def method(self) -> str:
        words = "".join(word.capitalize() for word in self.name.split("_"))
        return _SPELLINGS.get(self.name, f"Add{words}")

    @property
    def variable(self) -> str:
        """A name that is the operator's own, in lower case: custom operators are called alike."""
        stem = "".join(f"_{c.lower()}" if c.isupper() else c for c in self.name)
        return stem.removeprefix("_tiny_flow_")


def registrations(operators: tuple[OperatorUse, ...]) -> tuple[Registration, ...]:
    return tuple(Registration(use.name, use.custom) for use in operators)
