"""TVM's C text as people would have written it.

TVM prints an array for each register, a variable for each operand of a minimum, and parentheses
around everything. Here registers become variables that are declared where they get their value,
and expressions keep only what they need (`tinyflow.codegen.tvm.simplify`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyflow.codegen.tvm.expressions import Expression, Kind, parse
from tinyflow.codegen.tvm.layout import wrapped
from tinyflow.codegen.tvm.names import PRINTED, renamed
from tinyflow.codegen.tvm.statements import Form, Statement, read_statements


@dataclass(frozen=True)
class CFunction:
    """``parameters`` are C declarations, ``body`` lines of C without the outer braces."""

    parameters: tuple[str, ...]
    body: tuple[str, ...]


@dataclass(frozen=True)
class Qualifiers:
    """Of a pointer: whether nothing is written through it, and whether no other pointer leads to
    what is written through it or read."""

    constant: bool
    restrict: bool


def tidy(source: str, name: str, qualifiers: Sequence[Qualifiers]) -> CFunction:
    """The function ``name`` of TVM's text, with ``qualifiers`` for each of its parameters.

    Raises `ValueError` for whatever is not understood, and where the result would not be what was
    printed.
    """
    match = re.search(rf"^TVM_DLL void {name}\(([^)]*)\) {{\n(.*)^}}$", source, re.M | re.S)
    if match is None:
        raise ValueError(f"no function '{name}' in\n{source}")
    parameters = [text.split("* ") for text in match[1].split(", ")]
    body, words = _without_arrays(_LOOP.sub(r"\1while (\2) {\n", match[2]))
    lines = read_statements(body)
    types = {pointer: kind for kind, pointer in parameters}
    types |= {line.name: line.type for line in lines if line.type}
    types |= {line.name: "int32_t" for line in lines if line.form is Form.LOOP}
    stores = _stores(lines)
    lines = _inlined([line.simplified(types) for line in lines])
    # What stood in two variables may be one minimum within a maximum by now.
    lines = _needed([line.simplified(types) for line in lines])
    lines = _constant(_declared_late(lines))
    lines = renamed(lines, [pointer for _, pointer in parameters], words)
    _check(lines, stores)
    read = {name for line in lines for name in line.names}
    unused = [f"    (void){pointer};" for _, pointer in parameters if pointer not in read]
    return CFunction(
        tuple(
            f"{'const ' if own.constant else ''}{kind} *{'restrict ' if own.restrict else ''}{name}"
            for (kind, name), own in zip(parameters, qualifiers, strict=True)
        ),
        (*unused, *(text for line in lines for text in wrapped(str(line)))),
    )


def _stores(lines: Sequence[Statement]) -> list[tuple[int, str]]:
    """Within how many braces something is written to which array, in order."""
    return [
        (line.level, str(line.target.parts[0]))
        for line in lines
        if line.target is not None and line.target.kind is Kind.SUBSCRIPT
    ]


def _check(lines: Sequence[Statement], stores: Sequence[tuple[int, str]]) -> None:
    """Raises `ValueError` unless the lines store in the same order, and C reads them as meant."""
    if _stores(lines) != stores:
        raise ValueError("what the function writes is lost or moved")
    for line in lines:
        for part in line.expressions:
            if parse(str(part)) != part:
                raise ValueError(f"C would read this otherwise: {part}")


_LOOP = re.compile(r"^ *#pragma unroll 1\n( *)while \(1\) {\n *if \(!\((.*)\)\) { break; }\n", re.M)
"""A loop with a condition, as TVM prints it."""
_ARRAY = re.compile(r"^( *)(\w+) ((\w+)_ptr(_\d+)?)\[(\d+)\];\n", re.M)


def _without_arrays(body: str) -> tuple[str, dict[str, str]]:
    """Variables in place of arrays whose every index is a number; and what they would be called if
    no other was called so."""
    taken = set(re.findall(r"\w+", body))
    words: dict[str, str] = {}
    for indent, kind, array, stem, number, size in _ARRAY.findall(body):
        variables = []
        for i in range(int(size)):
            variable = f"{stem}{number}" if size == "1" else f"{stem}{number}_{i}"
            while variable in taken:
                variable += "x"
            taken.add(variable)
            words[variable] = stem if size == "1" else f"{stem}_{i}"
            variables.append(variable)
        declared = "".join(f"{indent}{kind} {variable};\n" for variable in variables)
        body = body.replace(f"{indent}{kind} {array}[{size}];\n", declared)
        for i, variable in enumerate(variables):
            body = re.sub(rf"\b{array}\[{i}\]", variable, body)
        if re.search(rf"\b{array}\b", body):
            raise ValueError(f"the register '{stem}' is indexed by a variable")
    return body, words


def _inlined(lines: list[Statement]) -> list[Statement]:
    """Without the printer's own variables that are read once, right after.

    The printer takes one for all equal texts of a block, even where what they read has changed in
    between: each place gets its own text back, so that it reads what stands there by then.
    """
    uses = Counter(name for line in lines for name in line.names)
    users = Counter(name for line in lines for name in set(line.names))
    values: dict[str, Expression] = {}

    def change(part: Expression) -> Expression:
        return values.get(part.text, part) if part.kind is Kind.ATOM else part

    kept = []
    for line in lines:
        line = line.map(change)
        is_own = line.form is Form.DEFINE and PRINTED.fullmatch(line.name)
        if is_own and (uses[line.name] == 2 or users[line.name] != 2 or _is_short(line.value)):
            assert line.value is not None
            values[line.name] = line.value
        else:
            kept.append(line)
    return kept


def _is_short(value: Expression | None) -> bool:
    return value is not None and value.kind is Kind.ATOM


_GIVING_VALUES = (Form.DECLARE, Form.DEFINE, Form.ASSIGN)


def _needed(lines: list[Statement]) -> list[Statement]:
    """Without variables that nothing reads, and loops that do nothing: what the simplifier made
    of them does not need them any more."""
    while True:
        reads = {name for line in lines for name in line.reads()}
        kept = [
            line
            for line in lines
            if line.form not in _GIVING_VALUES or not line.name or line.name in reads
        ]
        kept = _without_empty_blocks(kept)
        if len(kept) == len(lines):
            return lines
        lines = kept


def _without_empty_blocks(lines: list[Statement]) -> list[Statement]:
    kept: list[Statement] = []
    for line in lines:
        if line.text == "}" and kept and kept[-1].form in (Form.LOOP, Form.TEST):
            kept.pop()
        else:
            kept.append(line)
    return kept


def _declared_late(lines: list[Statement]) -> list[Statement]:
    """Variables that get their value in the block that declares them, are declared there."""
    found = list(lines)
    for declaration in lines:
        if declaration.form is not Form.DECLARE:
            continue
        at = found.index(declaration)
        first = _first_use(found, at)
        if first is not None:
            found[first] = replace(found[first], form=Form.DEFINE, type=declaration.type)
            del found[at]
    return found


def _first_use(lines: Sequence[Statement], at: int) -> int | None:
    """The line that gives the variable declared at ``at`` its value, if it is the first one that
    knows it and stands in the same block."""
    name = lines[at].name
    for i, line in enumerate(lines[at + 1 :], at + 1):
        if line.level < lines[at].level:
            return None
        if name in line.names:
            reads = line.value.names if line.value else []
            own = line.form is Form.ASSIGN and line.name == name and name not in reads
            return i if own and line.level == lines[at].level else None
    return None


def _constant(lines: list[Statement]) -> list[Statement]:
    """With const where a variable keeps its value."""
    changed = {line.name for line in lines if line.form is Form.ASSIGN}
    return [
        replace(line, type=f"const {line.type}")
        if line.form is Form.DEFINE and line.name not in changed
        else line
        for line in lines
    ]
