"""The C side of a custom operator: from its options and operands to the call of its kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tinyflow.codegen.c.literals import Int64, Struct, UInt32
from tinyflow.codegen.tflite.custom.operator import BoundNode, operator_name


@dataclass(frozen=True)
class Number:
    """A field of the kernel's parameters that is a number; ``option`` holds its value.

    A field of an inner struct is called like ``decay.left``.
    """

    field: str
    c_type: str

    @property
    def option(self) -> str:
        return self.field.replace(".", "_")


@dataclass(frozen=True)
class Pointer:
    """A field that points at a constant operand; ``option`` holds the operand's number, 0 where
    there is none."""

    field: str
    c_type: str

    @property
    def option(self) -> str:
        return self.field


@dataclass(frozen=True)
class OperatorKernel:
    """A portable kernel as its custom operator calls it.

    ``inputs`` are the C variables of the rows that it reads, which are the first operands.
    ``operands`` is the most that an operator of the model has.
    """

    kernel: str
    numbers: tuple[Number, ...]
    pointers: tuple[Pointer, ...]
    inputs: tuple[str, ...]
    operands: int
    has_scratch: bool

    @property
    def name(self) -> str:
        """The operator's name in the .tflite file."""
        return operator_name(self.kernel)

    @property
    def symbol(self) -> str:
        """The C name of the operator."""
        return f"tinyflow_{self.kernel}_operator"

    @property
    def arguments(self) -> str:
        """What the kernel is called with behind its parameters."""
        scratch = ["operands->scratch"] if self.has_scratch else []
        return ", ".join([*self.inputs, "out", *scratch, "0", "state->rows"])


def operator_kernels(nodes: Iterable[BoundNode]) -> tuple[OperatorKernel, ...]:
    """Every kernel once, in order of first use. Where layers of a model set different fields of
    its parameters, it reads all of them: an option that an operator does not have is 0."""
    found: dict[str, _Fields] = {}
    for node in nodes:
        found.setdefault(node.call.kernel, _Fields()).add(node)
    return tuple(fields.kernel(name) for name, fields in found.items())


@dataclass
class _Fields:
    """What is known of a kernel so far."""

    numbers: dict[str, Number] = field(default_factory=dict)
    pointers: dict[str, Pointer] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    operands: int = 0
    has_scratch: bool = False

    def add(self, node: BoundNode) -> None:
        constants = iter(node.constants)
        for line in node.call.fields:
            for name, value in line.items():
                if isinstance(value, Struct):
                    for inner, number in value.items():
                        self._number(f"{name}.{inner}", number)
                elif isinstance(value, str):
                    c_type = next(constants).dtype.c_type
                    self.pointers[name] = Pointer(name, f"const {c_type} *")
                else:
                    self._number(name, value)
        self.inputs = [rows.variable for rows in node.call.inputs]
        self.operands = max(self.operands, len(node.inputs) + len(node.constants))
        self.has_scratch = node.call.scratch is not None

    def _number(self, name: str, value: int) -> None:
        self.numbers[name] = Number(name, _C_TYPES.get(type(value), "int32_t"))

    def kernel(self, name: str) -> OperatorKernel:
        return OperatorKernel(
            kernel=name,
            numbers=tuple(self.numbers.values()),
            pointers=tuple(self.pointers.values()),
            inputs=tuple(self.inputs),
            operands=self.operands,
            has_scratch=self.has_scratch,
        )


_C_TYPES: dict[type, str] = {Int64: "int64_t", UInt32: "uint32_t"}
