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


_ONNX = (
    "Float models, and quantized ones in the QDQ format, whose scales are kept; operator sets 7 to "
    "28. Recurrent layers and control flow are refused."
)
_TORCH = (
    "Modules and programs of torch.export (.pt2), float, or quantized by PT2E, whose scales are "
    "kept; for inference, with fixed shapes. The names are those of ATen operations."
)
_TFLITE = "Float models, and int8 models, whose numbers are kept."
_C = "Besides that, generated C asks of every layer, once all passes have run:"
_C_OPS = "Of single layers, by their names in the intermediate representation:"


def supported_operators() -> str:
    """The whole page in Markdown. Needs the packages of the 'tflite' and 'torch' extras."""
    from tinyflow.codegen.c.constraints import EVERY_OP, PER_OP, rule_and_remedy
    from tinyflow.importers.onnx.table import HANDLERS as ONNX_HANDLERS
    from tinyflow.importers.tflite.handlers import HANDLERS as TFLITE_HANDLERS
    from tinyflow.importers.torch.table import HANDLERS as TORCH_HANDLERS

    every = "".join("- {}\n  *{}*\n".format(*rule_and_remedy(c)) for c in EVERY_OP)
    per_op = [
        ("{} *{}*".format(*rule_and_remedy(constraint)), op.value)
        for op, constraints in PER_OP.items()
        for constraint in constraints
    ]
    sections = [
        _HEAD,
        f"## ONNX\n\n{_ONNX}\n\n{handler_table(ONNX_HANDLERS)}",
        f"## PyTorch\n\n{_TORCH}\n\n{handler_table(TORCH_HANDLERS)}",
        f"## TFLite\n\n{_TFLITE}\n\n{handler_table(TFLITE_HANDLERS)}",
        f"## C code\n\n{_C}\n\n{every}\n{_C_OPS}\n\n{table('layer', per_op)}",
    ]
    return "\n".join(sections)


def handler_table(handlers: Mapping[str, Callable[..., object]]) -> str:
    """A Markdown table of source operators in alphabetical order and their rules."""
    return table("operator", [(rule(handlers[name]), name) for name in sorted(handlers)])


def table(what: str, rules: Iterable[tuple[str, str]]) -> str:
    """A Markdown table of (rule, name) pairs; names with the same rule share a row."""
    rows: dict[str, list[str]] = {}
    for text, name in rules:
        rows.setdefault(text.replace("|", r"\|"), []).append(f"`{name}`")
    lines = [f"| {what} | what is accepted |", "|---|---|"]
    lines += [f"| {', '.join(names)} | {text} |" for text, names in rows.items()]
    return "\n".join(lines) + "\n"


def rule(function: Callable[..., object]) -> str:
    """A function's docstring as one line; every handler has one."""
    while isinstance(function, functools.partial):
        function = function.func
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"{function.__qualname__} has no docstring to tell users its rule")
    return " ".join(text.split())


if __name__ == "__main__":
    sys.stdout.write(supported_operators())
