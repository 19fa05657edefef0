"""How templates of C and C++ are read: one set of rules for all of them."""

from __future__ import annotations

import jinja2

from tinyflow.codegen.c.comments import block
from tinyflow.codegen.c.wrapping import wrapped


def environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    """Lines of control leave no trace, and a name that is not given is an error."""
    result = jinja2.Environment(
        loader=loader,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    result.filters["wrapped"] = wrapped
    result.filters["block"] = block
    return result
