"""C expressions with less in them: without casts that C makes by itself, and with names for what is
a minimum, a maximum or a clamp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tinyflow.codegen.tvm.expressions import COMPARISONS, Expression, Kind, atom


def simplify(whole: Expression, types: Mapping[str, str]) -> Expression:
    """``types`` are those of the elements of arrays, and of variables."""

    def change(part: Expression) -> Expression:
        for rule in _RULES.get(part.kind, ()):
            part = rule(part, types)
        return part

    return whole.map(change)


def type_of(part: Expression, types: Mapping[str, str]) -> str:
    """Of a variable, an element, or a cast; otherwise empty."""
    if part.kind is Kind.CAST:
        return part.text
    name = part.parts[0] if part.kind is Kind.SUBSCRIPT else part
    return types.get(name.text, "") if name.kind is Kind.ATOM else ""


def _cast_of_number(part: Expression, types: Mapping[str, str]) -> Expression:
    if part.kind is not Kind.CAST or not part.parts[0].is_number:
        return part
    value = int(part.parts[0].text)
    if part.text == "int64_t" and value >= _LONG and value.bit_count() == 1:
        one = Expression(Kind.CALL, "INT64_C", (atom("1"),))
        return Expression(Kind.BINARY, "<<", (one, atom(str(value.bit_length() - 1))))
    if part.text in _MACROS:
        return replace(part, kind=Kind.CALL, text=_MACROS[part.text])
    return atom(f"{value}{_SUFFIXES.get(part.text, '')}")


_LONG = 1 << 16
"""From here on, a power of two is easier to read as a shift."""


_MACROS = {"int64_t": "INT64_C", "uint64_t": "UINT64_C"}
_SUFFIXES = {"uint32_t": "u"}
_PROMOTED = frozenset({"int8_t", "uint8_t", "int16_t", "uint16_t"})


def _cast_to_int(part: Expression, types: Mapping[str, str]) -> Expression:
    """C computes with int whatever is shorter, and a comparison is an int."""
    if part.kind is not Kind.CAST or part.text not in ("int32_t", "int64_t"):
        return part
    (inner,) = part.parts
    is_comparison = inner.kind is Kind.BINARY and inner.text in COMPARISONS
    own = type_of(inner, types)
    if part.text == "int32_t" and (is_comparison or own in (*_PROMOTED, "int32_t")):
        return inner
    return part


def _min_or_max(part: Expression, types: Mapping[str, str]) -> Expression:
    """Of int32: the functions of the kernels take nothing else."""
    condition, first, second = part.parts
    fits = _is_int32(first, types) and _is_int32(second, types)
    if fits and condition.kind is Kind.BINARY and condition.parts == (first, second):
        name = {"<": "tinyflow_min", ">": "tinyflow_max"}.get(condition.text)
        if name is not None:
            return Expression(Kind.CALL, name, (first, second))
    return part


def _is_int32(part: Expression, types: Mapping[str, str]) -> bool:
    """Whether C computes an expression in 32 bits with a sign."""
    if part.kind in (Kind.CAST, Kind.SUBSCRIPT) or (part.kind is Kind.ATOM and part.names):
        return type_of(part, types) in (*_PROMOTED, "int32_t")
    if part.kind is Kind.ATOM:
        return part.is_number
    if part.kind is Kind.BINARY and part.text in ("<<", ">>"):
        return _is_int32(part.parts[0], types)
    if part.kind is Kind.CALL and part.text in _MACROS.values():
        return False
    return all(_is_int32(each, types) for each in part.parts)


def _shift_count(part: Expression, types: Mapping[str, str]) -> Expression:
    """The type of a shift's count does not matter."""
    if part.text not in ("<<", ">>"):
        return part
    left, count = part.parts
    if count.kind is Kind.CALL and count.text in _MACROS.values():
        (count,) = count.parts
    elif count.kind is Kind.ATOM:
        count = atom(count.text.removesuffix("u"))
    elif count.kind is Kind.CAST and count.text in ("int64_t", "uint32_t"):
        count = count.parts[0]
    return replace(part, parts=(left, count))


def _one_cast_is_enough(part: Expression, types: Mapping[str, str]) -> Expression:
    left, right = part.parts
    both = left.kind is right.kind is Kind.CAST and left.text == right.text == "int64_t"
    if part.text == "*" and both and type_of(right.parts[0], types) in (*_PROMOTED, "int32_t"):
        return replace(part, parts=(left, right.parts[0]))
    return part


def _negative(part: Expression, types: Mapping[str, str]) -> Expression:
    left, right = part.parts
    if part.text == "*" and right == atom("-1"):
        return Expression(Kind.UNARY, "-", (left,))
    return part


def _clamp(part: Expression, types: Mapping[str, str]) -> Expression:
    """A minimum within a maximum, or the other way round, of bounds that are numbers."""
    other = _CLAMPS.get(part.text)
    if part.kind is not Kind.CALL or other is None:
        return part
    inner, outer = part.parts
    if inner.kind is not Kind.CALL or inner.text != other:
        return part
    value, bound = inner.parts
    if not (bound.is_number and outer.is_number):
        return part
    low, high = sorted((bound, outer), key=lambda number: int(number.text))
    is_ordered = (part.text == "tinyflow_max") == (outer == low)
    return Expression(Kind.CALL, "tinyflow_clamp", (value, low, high)) if is_ordered else part


_CLAMPS = {"tinyflow_max": "tinyflow_min", "tinyflow_min": "tinyflow_max"}

_RULES: dict[Kind, tuple[Callable[[Expression, Mapping[str, str]], Expression], ...]] = {
    Kind.CAST: (_cast_of_number, _cast_to_int),
    Kind.CALL: (_clamp,),
    Kind.CHOICE: (_min_or_max, _clamp),
    Kind.BINARY: (_shift_count, _one_cast_is_enough, _negative),
}
