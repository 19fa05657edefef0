"""The statements of a function as TVM prints them, a line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tinyflow.codegen.tvm.expressions import Expression, Kind, atom, parse, simplify

_INDENT = 4


class Form(Enum):
    DECLARE = "declare"
    """``type target;``"""
    DEFINE = "define"
    """``type target = value;``"""
    ASSIGN = "assign"
    """``target = value;``"""
    TEST = "test"
    """``text value tail``: an if or a loop."""
    PLAIN = "plain"
    """``text``: braces, break."""


@dataclass(frozen=True)
class Statement:
    """``level`` counts the braces around it."""

    form: Form
    level: int
    type: str = ""
    target: Expression | None = None
    value: Expression | None = None
    text: str = ""
    tail: str = ""

    def __str__(self) -> str:
        return " " * (_INDENT * self.level) + _PRINTERS[self.form](self)

    @property
    def name(self) -> str:
        """Of the variable that is declared or assigned as a whole, if any."""
        whole = self.target is not None and self.target.kind is Kind.ATOM
        return self.target.text if whole and self.target is not None else ""

    def names(self) -> list[str]:
        """Every name that is read or written."""
        return [name for part in (self.target, self.value) if part for name in part.names()]

    def reads(self) -> list[str]:
        """Every name that is read for something other than the variable itself."""
        found = self.value.names() if self.value else []
        if self.target is not None and not self.name:
            found += self.target.names()
        return [name for name in found if name != self.name]

    def map(self, change: Callable[[Expression], Expression]) -> Statement:
        """With every expression changed."""
        return replace(
            self,
            target=self.target.map(change) if self.target else None,
            value=self.value.map(change) if self.value else None,
        )

    def simplified(self, types: Mapping[str, str]) -> Statement:
        return replace(
            self,
            target=simplify(self.target, types) if self.target else None,
            value=simplify(self.value, types) if self.value else None,
        )


_DECLARE = re.compile(r"(\w+) (\w+)")
_DEFINE = re.compile(r"(u?int\d+_t|bool) (\w+) = (.*)")
_TEST = re.compile(r"(if \(|while \()(.*)(\) {)")
_FOR = re.compile(r"(for \(int32_t \w+ = )(.*)(; )(\w+ < .*)(; \+\+\w+\) {)")


def read_statements(body: str) -> list[Statement]:
    """From lines that are indented by two spaces for each brace."""
    return [_read(line) for line in body.splitlines()]


def _read(line: str) -> Statement:
    text = line.strip()
    level = (len(line) - len(line.lstrip())) // 2
    if loop := _FOR.fullmatch(text):
        head, begin, middle, condition, tail = loop.groups()
        start = f"{head}{parse(begin)}{middle}"
        return Statement(Form.TEST, level, text=start, value=parse(condition), tail=tail)
    if test := _TEST.fullmatch(text):
        return Statement(Form.TEST, level, text=test[1], value=parse(test[2]), tail=test[3])
    if not text.endswith(";") or text == "break;":
        return Statement(Form.PLAIN, level, text=text)
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
    Form.TEST: lambda s: f"{s.text}{s.value}{s.tail}",
    Form.PLAIN: lambda s: s.text,
}
