"""CHANNEL_GATE: a channel goes with its factors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyflow.quantize.dead_channels.place import NewNode, Place
from tinyflow.quantize.dead_channels.same_channels import rewrite_same


def rewrite_gate(place: Place) -> NewNode:
    form: Any = place.site.node.integer
    stay = ~place.result_gone
    form = replace(form, factor=form.factor[stay], offset=form.offset[stay])
    return replace(rewrite_same(place), integer=form)
