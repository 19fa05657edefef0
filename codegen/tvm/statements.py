"""The statements of a function as TVM prints them, a line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from tinyflow.codegen.tvm.expressions import Expression, Kind, atom, parse
from tinyflow.codegen.tvm.simplify import simplify

_INDENT = 4


class Form(Enum):
    """What a statement is, which says what the fields of `Statement` mean."""

    DECLARE = "declare"
    """``type target;``"""
    DEFINE = "define"
    """``type target = value;``"""
    ASSIGN = "assign"
    """``target = value;``"""
    LOOP = "loop"
    """``for (int32_t target = start; target < value; ++target) {``"""
    TEST = "test"
    """``text value) {``: an if, or a loop without a variable."""
    PLAIN = "plain"
    """``text``: braces."""


@dataclass(frozen=True)
class Statement:
    """``level`` counts the braces around it."""

    form: Form
    level: int
    type: str = ""
    target: Expression | None = None
    value: Expression | None = None
    start: Expression | None = None
    text: str = ""

    def __str__(self) -> str:
        return " " * (_INDENT * self.level) + _PRINTERS[self.form](self)

    @property
    def name(self) -> str:
        """Of the variable that is declared or assigned as a whole, if any."""
        whole = self.target is not None and self.target.kind is Kind.ATOM
        return self.target.text if whole and self.target is not None else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that is read or written."""
        return tuple(name for part in self.expressions for name in part.names)

    @property
    def expressions(self) -> list[Expression]:
        return [part for part in (self.target, self.start, self.value) if part is not None]

    def reads(self) -> list[str]:
        """Every name that is read for something other than the variable itself."""
        return [name for name in self.names if name != self.name]

    def map(self, change: Callable[[Expression], Expression]) -> Statement:
        """With every expression changed."""
        return replace(
            self,
            target=self.target.map(change) if self.target else None,
            value=self.value.map(change) if self.value else None,
            start=self.start.map(change) if self.start else None,
        )

    def simplified(self, types: Mapping[str, str]) -> Statement:
        return replace(
            self,
            target=simplify(self.target, types) if self.target else None,
            value=simplify(self.value, types) if self.value else None,
            start=simplify(self.start, types) if self.start else None,
        )


_DECLARE = re.compile(r"(u?int\d+_t|bool) (\w+)")
_DEFINE = re.compile(r"(u?int\d+_t|bool) (\w+) = (.*)")
_TEST = re.compile(r"(if \(|while \()(.*)\) {")
_LOOP = re.compile(r"for \(int32_t (\w+) = (.*); \1 < (.*); \+\+\1\) {")
_PLAIN = ("}", "} else {")


def read_statements(body: str) -> list[Statement]:
    """From lines that are indented by two spaces for each brace. Raises `ValueError` for a line of
    no `Form`."""
    found, depth = [], 1
    for line in body.splitlines():
        statement = _read(line)
        depth -= line.lstrip().startswith("}")
        if statement.level != depth:
            raise ValueError(f"not indented like its block: {line}")
        depth += line.endswith("{")
        found.append(statement)
    return found


def _read(line: str) -> Statement:
    text = line.strip()
    level = (len(line) - len(line.lstrip())) // 2
    if loop := _LOOP.fullmatch(text):
        start, end = parse(loop[2]), parse(loop[3])
        return Statement(Form.LOOP, level, target=atom(loop[1]), value=end, start=start)
    if test := _TEST.fullmatch(text):
        return Statement(Form.TEST, level, text=test[1], value=parse(test[2]))
    if text in _PLAIN:
        return Statement(Form.PLAIN, level, text=text)
    if not text.endswith(";"):
        raise ValueError(f"no statement: {text}")
    text = text.removesuffix(";")
    if define := _DEFINE.fullmatch(text):
        return Statement(Form.DEFINE, level, define[1], atom(define[2]), parse(define[3]))
    if declare := _DECLARE.fullmatch(text):
        return Statement(Form.DECLARE, level, declare[1], atom(declare[2]))
    target, _, value = text.partition(" = ")
    return Statement(Form.ASSIGN, level, target=parse(target), value=parse(value))


def _print_assignment(line: Statement) -> str:
    assert line.value is not None
    if line.value.kind is Kind.BINARY and line.value.text in ("+", "-"):
        left, right = line.value.parts
        if left == line.target:
            return f"{line.target} {line.value.text}= {right};"
    return f"{line.target} = {line.value};"


_PRINTERS: dict[Form, Callable[[Statement], str]] = {
    Form.DECLARE: lambda s: f"{s.type} {s.target};",
    Form.DEFINE: lambda s: f"{s.type} {s.target} = {s.value};",
    Form.ASSIGN: _print_assignment,
    Form.LOOP: lambda s: (
        f"for (int32_t {s.target} = {s.start}; {s.target} < {s.value}; ++{s.target}) {{"
    ),
    Form.TEST: lambda s: f"{s.text}{s.value}) {{",
    Form.PLAIN: lambda s: s.text,
}
