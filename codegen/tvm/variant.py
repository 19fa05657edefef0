"""A layer whose kernel is TensorIR, as one more way to compute it.

The model's schedule, its arena, its taps and its interface are those of the C backend: it calls the
printed function with pointers to the layer's operands, constants, result and working memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from weakref import WeakKeyDictionary

from tinyflow.codegen.c.comments import function_comment
from tinyflow.codegen.c.functions import Function
from tinyflow.codegen.c.layer import FunctionCall, KernelCall, Layer, address
from tinyflow.codegen.c.variants import Variant
from tinyflow.codegen.schedule import Demand
from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.tvm.kernel import Kernel, Operand, Result, Table, Workspace
from tinyflow.codegen.tvm.ops import LOWERINGS, PIECES
from tinyflow.codegen.tvm.printing import print_function
from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.ir import OPS, DType, Graph, Node, Op, Tensor

NAME = "tvm"
"""The name of all these variants in reports."""

_KERNELS: WeakKeyDictionary[Graph, dict[str, tuple[Kernel, ...]]] = WeakKeyDictionary()


def has_form(op: Op) -> bool:
    """Whether there is TensorIR for an operation."""
    return op in LOWERINGS or op in PIECES


def variant_of(op: Op) -> Variant:
    return Variant(NAME, op, _bind, demand=_demand)


def _kernels(graph: Graph, node: Node) -> tuple[Kernel, ...]:
    """One kernel, or one for each operand that may lie in its place of the result already."""
    known = _KERNELS.setdefault(graph, {})
    if node.name not in known:
        if node.op in PIECES:
            lower = PIECES[node.op]
            known[node.name] = tuple(lower(graph, node, i) for i in range(len(node.inputs)))
        else:
            known[node.name] = (LOWERINGS[node.op](graph, node),)
    return known[node.name]


def _demand(graph: Graph, node: Node) -> Demand:
    kernels = _kernels(graph, node)
    scratch = max(sum(_workspaces(kernel)) for kernel in kernels)
    overwrites = all(kernel.overwrites for kernel in kernels)
    if kernels[0].overlap is not None:
        return Demand(scratch, overlap=kernels[0].overlap)
    if OPS[node.op].in_place:
        return Demand(scratch, replaces=None if overwrites else ())
    return Demand(scratch, overwrites=overwrites)


def _workspaces(kernel: Kernel) -> list[int]:
    """Bytes of each workspace, up to the next one."""
    return [align(each.nbytes) for each in kernel.arguments if isinstance(each, Workspace)]


def _bind(layer: Layer) -> list[KernelCall]:
    if layer.is_view:
        return []
    kernels = _kernels(layer.graph, layer.node)
    if layer.node.op in PIECES:
        kernels = tuple(kernels[i] for i in _moved(layer))
    return [_call(layer, kernel) for kernel in kernels]


def _moved(layer: Layer) -> Iterator[int]:
    """The operands that do not lie in the result already."""
    begins = accumulate((operand.nbytes for operand in layer.operands), initial=0)
    for i, begin in zip(range(len(layer.operands)), begins, strict=False):
        if not layer.is_piece(i, begin):
            yield i


def _call(layer: Layer, kernel: Kernel) -> KernelCall:
    try:
        printed = print_function(kernel)
    except ValueError as error:
        raise UnsupportedError(
            [
                Obstacle(
                    f"{layer.node.name} ({layer.node.op.value})",
                    f"TVM printed C that cannot be taken over: {error}",
                    "Compile the model with --backend c, and install the version of apache-tvm "
                    "that the extra 'tvm' names.",
                )
            ]
        ) from error
    name = layer.node.op.value
    function = Function(
        f"{NAME}_{name.lower()}",
        printed.parameters,
        printed.body,
        tuple(function_comment(layer)),
    )
    pointers = _Pointers(layer, kernel)
    return FunctionCall(
        layer.function(function),
        (),
        (),
        layer.output_rows(),
        1,
        pointers=tuple(pointers.of(argument) for argument in kernel.arguments),
    )


class _Pointers:
    """The C expression of each argument of a kernel."""

    def __init__(self, layer: Layer, kernel: Kernel) -> None:
        self._layer = layer
        self._places = iter(accumulate(_workspaces(kernel), initial=0))
        self._of: dict[type, Callable[..., str]] = {
            Operand: self._operand,
            Table: self._table,
            Result: self._result,
            Workspace: self._workspace,
        }

    def of(self, argument: Operand | Table | Result | Workspace) -> str:
        return self._of[type(argument)](argument)

    def _operand(self, argument: Operand) -> str:
        tensor = self._layer.operands[argument.index]
        if tensor.is_constant:
            return self._layer.weight(argument.index)
        return self._activation(tensor)

    def _result(self, argument: Result) -> str:
        return self._activation(self._layer.result)

    def _table(self, argument: Table) -> str:
        return self._layer.table(argument.role, argument.data)

    def _workspace(self, argument: Workspace) -> str:
        begin = self._layer.schedule.scratch[self._layer.node.name].offset
        return _typed(begin + next(self._places), DType(argument.dtype))

    def _activation(self, tensor: Tensor) -> str:
        return _typed(self._layer.schedule.placements[tensor.name].offset, tensor.dtype)


def _typed(offset: int, dtype: DType) -> str:
    where = address("arena", offset)
    return where if dtype is DType.INT8 else f"({dtype.c_type} *)(void *)({where})"
