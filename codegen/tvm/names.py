"""Names of local variables: TVM numbers those that occur more than once in a function; here they
are numbered only where they would hide each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tinyflow.codegen.tvm.expressions import Expression, Kind, atom
from tinyflow.codegen.tvm.statements import Form, Statement

PRINTED = re.compile(r"v_(_\d+)?")
"""The printer's own variables, for what it needs more than once."""

_NUMBERED = re.compile(r"(\w*[A-Za-z]\d*)_\d+")
_DECLARING = (Form.DEFINE, Form.DECLARE, Form.LOOP)


def renamed(
    lines: Sequence[Statement], parameters: Sequence[str], words: Mapping[str, str]
) -> list[Statement]:
    """The lines of a function with ``parameters``. ``words`` are what variables are called if
    nothing else that is known in the same place is called so."""
    known = [(0, name, name) for name in parameters]
    found = []
    for line in lines:
        # What the blocks that end here have declared is known no longer.
        known = [entry for entry in known if entry[0] <= line.level]
        new = {old: name for _, old, name in known}

        def change(part: Expression, new: Mapping[str, str] = new) -> Expression:
            return atom(new.get(part.text, part.text)) if part.kind is Kind.ATOM else part

        changed = line.map(change)
        if line.form in _DECLARING:
            name = _free(_word(line.name, words), {name for _, _, name in known})
            known.append((line.level + (line.form is Form.LOOP), line.name, name))
            changed = replace(changed, target=atom(name))
        found.append(changed)
    return found


def _word(name: str, words: Mapping[str, str]) -> str:
    if name in words:
        return words[name]
    if PRINTED.fullmatch(name):
        return "value"
    numbered = _NUMBERED.fullmatch(name)
    return numbered[1] if numbered else name


def _free(word: str, taken: Collection[str]) -> str:
    """The word, with a number behind it where it is taken."""
    return next(
        name
        for name in (word, *(f"{word}_{i}" for i in range(1, len(taken) + 2)))
        if name not in taken
    )
