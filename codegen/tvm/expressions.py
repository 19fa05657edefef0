"""C expressions as TVM prints them: parsed, and printed with the parentheses they need.

Only what its printer can write is understood: names, numbers, subscripts, calls, casts to integer
types, operators, and conditionals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property


class Kind(Enum):
    """``text`` and ``parts`` of an expression mean something else for each."""

    ATOM = "atom"
    """A name or a number, in ``text``."""
    SUBSCRIPT = "subscript"
    """``parts[0][parts[1]]``"""
    CALL = "call"
    """``text(parts...)``"""
    UNARY = "unary"
    """The operator ``text`` before ``parts[0]``."""
    CAST = "cast"
    """``(text)parts[0]``"""
    BINARY = "binary"
    """``parts[0] text parts[1]``"""
    CHOICE = "choice"
    """``parts[0] ? parts[1] : parts[2]``"""


@dataclass(frozen=True)
class Expression:
    kind: Kind
    text: str
    parts: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        return _PRINTERS[self.kind](self)

    @property
    def precedence(self) -> int:
        """The higher, the tighter it binds."""
        if self.kind is Kind.ATOM and self.text.startswith("-"):
            return _PREFIX
        if self.kind is Kind.BINARY:
            return _PRECEDENCE[self.text]
        return _OF_KIND[self.kind]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name, as often as it occurs."""
        is_name = self.kind is Kind.ATOM and self.text.isidentifier()
        own = [self.text] if is_name else []
        return (*own, *(name for part in self.parts for name in part.names))

    @property
    def is_number(self) -> bool:
        return self.kind is Kind.ATOM and _NUMBER.fullmatch(self.text) is not None

    def map(self, change: Callable[[Expression], Expression]) -> Expression:
        """With every part changed, and then the whole."""
        return change(replace(self, parts=tuple(part.map(change) for part in self.parts)))


_NUMBER = re.compile(r"-?\d+")
_TOKEN = re.compile(r"\s*(\d+u?\b|[A-Za-z_]\w*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:()\[\],])")
_SUFFIX = re.compile(r"(?<=\(uint64_t\))(\d+)ULL\b")
"""Behind numbers in a cast to their type anyway."""
_TYPE = re.compile(r"u?int\d+_t|bool")

_BY_LEVEL = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="),
             ("<<", ">>"), ("+", "-"), ("*", "/", "%"))  # fmt: skip
_CONDITIONAL = 0
_PRECEDENCE = {text: level for level, texts in enumerate(_BY_LEVEL, 1) for text in texts}
_PREFIX = len(_BY_LEVEL) + 1
_TIGHTEST = _PREFIX + 1
_OF_KIND = {
    Kind.ATOM: _TIGHTEST,
    Kind.SUBSCRIPT: _TIGHTEST,
    Kind.CALL: _TIGHTEST,
    Kind.UNARY: _PREFIX,
    Kind.CAST: _PREFIX,
    Kind.CHOICE: _CONDITIONAL,
}
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})
"""Operators whose value is 0 or 1."""
_BARE = frozenset({"+", "-", "*", "/", "%"})
"""Operators whose precedence every reader knows: their operands stand without parentheses."""


def atom(text: str) -> Expression:
    return Expression(Kind.ATOM, text)


def parse(text: str) -> Expression:
    """Raises `ValueError` for what TVM's printer does not write."""
    text = _SUFFIX.sub(r"\1", text)
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+", "", text):
        raise ValueError(f"no expression: {text}")
    parser = _Parser(tokens)
    found = parser.choice()
    if parser.peek():
        raise ValueError(f"no expression: {text}")
    return found


class _Parser:
    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or expected not in ("", token):
            raise ValueError(f"'{token}' stands where '{expected}' should in {self._tokens}")
        self._at += 1
        return token

    def choice(self) -> Expression:
        condition = self.binary(1)
        if self.peek() != "?":
            return condition
        self.take("?")
        first = self.choice()
        self.take(":")
        return Expression(Kind.CHOICE, "", (condition, first, self.choice()))

    def binary(self, level: int) -> Expression:
        if level == _PREFIX:
            return self.prefix()
        left = self.binary(level + 1)
        while _PRECEDENCE.get(self.peek()) == level:
            left = Expression(Kind.BINARY, self.take(), (left, self.binary(level + 1)))
        return left

    def prefix(self) -> Expression:
        if self.peek() in ("-", "~", "!"):
            sign, inner = self.take(), self.prefix()
            if sign == "-" and inner.is_number:
                return atom(f"-{inner.text}")
            return Expression(Kind.UNARY, sign, (inner,))
        if self.peek() == "(" and _TYPE.fullmatch(self.peek(1)):
            self.take("(")
            kind = self.take()
            self.take(")")
            return Expression(Kind.CAST, kind, (self.prefix(),))
        return self.postfix()

    def postfix(self) -> Expression:
        if self.peek() == "(":
            self.take("(")
            found = self.choice()
            self.take(")")
        else:
            found = atom(self.take())
        while self.peek() in ("[", "("):
            if self.take() == "[":
                found = Expression(Kind.SUBSCRIPT, "", (found, self.choice()))
                self.take("]")
            else:
                found = Expression(Kind.CALL, found.text, self._arguments())
        return found

    def _arguments(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while self.peek() != ")":
            if found:
                self.take(",")
            found.append(self.choice())
        self.take(")")
        return tuple(found)


def _within(part: Expression, least: int) -> str:
    return str(part) if part.precedence >= least else f"({part})"


def _print_binary(whole: Expression) -> str:
    left, right = whole.parts
    own = whole.precedence
    sides = [_within(left, own), _within(right, own + 1)]
    if whole.text not in _BARE:
        sides = [
            f"({part})" if _is_mixed(whole.text, part) else side
            for part, side in zip(whole.parts, sides, strict=True)
        ]
    return f" {whole.text} ".join(sides)


def _is_mixed(operator: str, part: Expression) -> bool:
    """Whether a reader, or the compiler's warnings, would ask for parentheses."""
    if part.kind is not Kind.BINARY:
        return part.kind is Kind.CHOICE
    if operator in COMPARISONS:
        return operator in ("&&", "||") and part.text in ("&&", "||") and part.text != operator
    return True


_PRINTERS: dict[Kind, Callable[[Expression], str]] = {
    Kind.ATOM: lambda e: e.text,
    Kind.SUBSCRIPT: lambda e: f"{_within(e.parts[0], _TIGHTEST)}[{e.parts[1]}]",
    Kind.CALL: lambda e: f"{e.text}({', '.join(map(str, e.parts))})",
    Kind.UNARY: lambda e: f"{e.text}{_within(e.parts[0], _TIGHTEST)}",
    Kind.CAST: lambda e: f"({e.text}){_within(e.parts[0], _PREFIX)}",
    Kind.BINARY: _print_binary,
    Kind.CHOICE: lambda e: (
        f"{_within(e.parts[0], 1)} ? {_within(e.parts[1], 1)} : {_within(e.parts[2], 0)}"
    ),
}
