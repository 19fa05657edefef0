"""Einsum."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from tinyflow.importers.common.axes import sum_of
from tinyflow.importers.common.builder import Builder, Value
from tinyflow.importers.common.layer import Layer, RefusalError
from tinyflow.importers.common.picking import rearranged
from tinyflow.importers.common.products import product_of
from tinyflow.importers.common.views import expanded, reshape_to, transpose_to

Labels = tuple[str, ...]
"""One for each axis; axes of the ellipsis have numbers."""


def convert_einsum(layer: Layer, builder: Builder) -> tuple[Value, ...]:
    """Any equation; sums over products become matrix products, of two operands at a time."""
    values = [builder.value(layer, i) for i in range(len(layer.inputs))]
    labels, wanted = _parsed(layer.text("equation", ""), [x.shape for x in values])
    terms = [_diagonal(layer, builder, x, own) for x, own in zip(values, labels, strict=True)]
    while len(terms) > 1:
        (a, b), rest = terms[:2], terms[2:]
        needed = {*wanted, *(label for _, own in rest for label in own)}
        terms = [_contracted(layer, builder, a, b, needed), *rest]
    x, own = _summed(layer, builder, terms[0], set(wanted))
    return (transpose_to(layer, builder, x, [own.index(label) for label in wanted], "ordered"),)


def _parsed(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[Labels], Labels]:
    """The labels of the axes of each operand and of the result."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    texts = left.split(",")
    if len(texts) != len(shapes):
        raise RefusalError(f"the equation '{equation}' does not fit {len(shapes)} operands")
    hidden = [len(s) - len(t.replace("...", "")) for t, s in zip(texts, shapes, strict=True)]
    most = max((h for t, h in zip(texts, hidden, strict=True) if "..." in t), default=0)
    labels = [_labels(t, h, most) for t, h in zip(texts, hidden, strict=True)]
    if any(len(own) != len(shape) for own, shape in zip(labels, shapes, strict=True)):
        raise RefusalError(f"the equation '{equation}' does not fit the operands {shapes}")
    if arrow:
        return labels, _labels(right, most, most)
    letters = sorted(left.replace(",", "").replace(".", ""))
    once = tuple(label for label in letters if letters.count(label) == 1)
    return labels, (*_labels("...", most, most), *once)


def _labels(text: str, hidden: int, most: int) -> Labels:
    before, dots, after = text.partition("...")
    ellipsis = tuple(str(i) for i in range(most - hidden, most)) if dots else ()
    return (*before, *ellipsis, *after)


Term = tuple[Value, Labels]


def _diagonal(layer: Layer, builder: Builder, x: Value, labels: Labels) -> Term:
    """With each label once: of axes that share one, only equal indices stay."""
    own = tuple(dict.fromkeys(labels))
    if len(own) == len(labels):
        return x, labels
    strides = [math.prod(x.shape[axis + 1 :]) for axis in range(len(labels))]
    size = {label: x.shape[axis] for axis, label in enumerate(labels)}
    places = reduce(
        np.add.outer,
        (
            np.arange(size[label])
            * sum(s for s, other in zip(strides, labels, strict=True) if other == label)
            for label in own
        ),
    )
    return rearranged(layer, builder, [x], np.asarray(places)), own


def _summed(layer: Layer, builder: Builder, term: Term, needed: set[str]) -> Term:
    x, labels = term
    axes = [axis for axis, label in enumerate(labels) if label not in needed]
    if not axes:
        return term
    kept = tuple(label for label in labels if label in needed)
    return sum_of(layer, builder, x, axes, keep=False), kept


def _contracted(layer: Layer, builder: Builder, a: Term, b: Term, needed: set[str]) -> Term:
    """The product of two operands, summed over labels that nothing else needs: a matrix product
    for each index of the labels that both have and that stay."""
    a = _summed(layer, builder, a, needed | set(b[1]))
    b = _summed(layer, builder, b, needed | set(a[1]))
    shared = [label for label in a[1] if label in b[1]]
    batch = [label for label in shared if label in needed]
    inner = [label for label in shared if label not in needed]
    rows = [label for label in a[1] if label not in shared]
    columns = [label for label in b[1] if label not in shared]
    size = {
        label: max(d for x, own in (a, b) for d, o in zip(x.shape, own, strict=True) if o == label)
        for label in (*a[1], *b[1])
    }
    left = _matrix(layer, builder, a, [batch, rows, inner], size, "left")
    right = _matrix(layer, builder, b, [batch, inner, columns], size, "right")
    y = product_of(layer, builder, left, right)
    labels = (*batch, *rows, *columns)
    return reshape_to(layer, builder, y, [size[label] for label in labels], "parted"), labels


def _matrix(
    layer: Layer,
    builder: Builder,
    term: Term,
    groups: list[list[str]],
    size: dict[str, int],
    name: str,
) -> Value:
    """With the axes of each group joined to one."""
    x, own = term
    order = [label for group in groups for label in group]
    x = transpose_to(layer, builder, x, [own.index(label) for label in order], name)
    x = expanded(layer, builder, x, tuple(size[label] for label in order))
    joined = [math.prod(size[label] for label in group) for group in groups]
    return reshape_to(layer, builder, x, joined, f"{name}_matrix")
