"""From TensorIR to C text: TVM's passes and its C printer, without its runtime.

The function that TVM prints takes one pointer for each buffer and calls nothing.
"""

from __future__ import annotations

from typing import Any

import tvm
from tvm import s_tir, tirx

from tinyflow.codegen.tvm.kernel import Argument, Kernel, Operand, Result, Workspace
from tinyflow.codegen.tvm.tidy import CFunction, Qualifiers, tidy

_PASSES = (
    s_tir.transform.LowerOpaqueBlock,
    tirx.transform.FlattenBuffer,
    tirx.transform.StmtSimplify,
    tirx.transform.UnrollLoop,
    tirx.transform.StmtSimplify,
    tirx.transform.RemoveNoOp,
)
"""In this order: indices become one number before they are simplified, and again when the loops
are gone that are to be unrolled. Looking for common subexpressions is left to the C compiler."""

_ENTRY = "main"


def print_function(kernel: Kernel) -> CFunction:
    """The kernel in C."""
    target = tvm.target.Target("c")
    module = tvm.IRModule({_ENTRY: kernel.function.with_attr("global_symbol", _ENTRY)})
    for lowering in (tirx.transform.BindTarget(target), *(make() for make in _PASSES)):
        module = lowering(module)
    module = tvm.IRModule({_ENTRY: _with_pointers(module[_ENTRY], target)})
    source = tvm.get_global_func("target.build.c")(tirx.transform.LowerIntrin()(module), target)
    parameters = [_qualifiers(kernel, argument) for argument in kernel.arguments]
    return tidy(source.inspect_source(""), _ENTRY, parameters)


def _qualifiers(kernel: Kernel, argument: Argument) -> Qualifiers:
    of_arena = isinstance(argument, Result) or argument in _activations(kernel)
    return Qualifiers(
        constant=not isinstance(argument, Result | Workspace),
        restrict=not (of_arena and kernel.shares_bytes),
    )


def _activations(kernel: Kernel) -> list[Argument]:
    return [each for each in kernel.arguments if isinstance(each, Operand) and not each.constant]


def _with_pointers(function: Any, target: Any) -> Any:
    """A function of plain pointers: the printer then needs no packed arguments."""
    pointers = {
        buffer.name: tirx.Var(buffer.name, tvm.ir.PointerType(tvm.ir.PrimType(str(buffer.dtype))))
        for buffer in function.params
    }
    body = function.body
    statements = list(body.seq) if isinstance(body, tirx.SeqStmt) else [body]
    placed = [
        tirx.DeclBuffer(each.buffer, data=pointers[each.buffer.name])
        if isinstance(each, tirx.DeclBuffer)
        else each
        for each in statements
    ]
    plain = tirx.PrimFunc(list(pointers.values()), tirx.SeqStmt(placed))
    attributes = {"global_symbol": _ENTRY, "calling_conv": 0, "target": target}
    return plain.with_attrs(attributes)
