"""The page of supported operators, made from the docstrings of the code that supports them.

    python -m tinyflow.report.supported_operators > docs/supported-operators.md

A handler of an importer, and a rule of a backend, states in its docstring what it accepts. This
page collects these sentences, so it cannot differ from the code.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping

_HEAD = """\
# Supported operators

<!-- Made by: python -m tinyflow.report.supported_operators > docs/supported-operators.md -->

`tinyflow check MODEL --target T` lists everything that stands in a model's way at once, by the
names of the model's own layers. Layers whose inputs are all constant are computed while compiling,
whatever they are.
"""


def supported_operators() -> str:
    """The whole page in Markdown. Needs the packages of the 'tflite' extra."""
    from tinyflow.codegen.c.constraints import CONSTRAINTS
    from tinyflow.importers.onnx.table import HANDLERS as ONNX_HANDLERS
    from tinyflow.importers.tflite.handlers import HANDLERS as TFLITE_HANDLERS

    sections = [
        _HEAD,
        "## ONNX\n\nFloat models, operator sets 13 to 23.\n\n" + operator_table(ONNX_HANDLERS),
        "## TFLite\n\nFloat models and int8 models.\n\n" + operator_table(TFLITE_HANDLERS),
        "## C code\n\nWhat generated C asks of a model besides that:\n\n" + rule_list(CONSTRAINTS),
    ]
    return "\n".join(sections)


def operator_table(handlers: Mapping[str, Callable[..., object]]) -> str:
    """A Markdown table: source operators in alphabetical order and their rule.

    Operators with the same rule share a row.
    """
    rows: dict[str, list[str]] = {}
    for name in sorted(handlers):
        rows.setdefault(rule(handlers[name]), []).append(name)
    lines = ["| operator | what is accepted |", "|---|---|"]
    for text, names in rows.items():
        operators = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| {operators} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def rule_list(constraints: Iterable[Callable[..., object]]) -> str:
    """A Markdown list of the rules, in the order in which they are checked."""
    return "".join(f"- {text}\n" for text in dict.fromkeys(rule(c) for c in constraints))


def rule(function: Callable[..., object]) -> str:
    """A function's docstring as one line; every handler and every constraint has one."""
    while isinstance(function, functools.partial):
        function = function.func
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"{function.__qualname__} has no docstring to tell users its rule")
    return " ".join(text.split())


if __name__ == "__main__":
    sys.stdout.write(supported_operators())
