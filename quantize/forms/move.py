"""RESHAPE, TRANSPOSE, SLICE, CONCAT, RESIZE_NEAREST: codes move, none changes."""

from __future__ import annotations

from tinyflow.ir.integer import IntegerForm
from tinyflow.quantize.site import Site


def move_form(site: Site) -> IntegerForm:
    return IntegerForm()
