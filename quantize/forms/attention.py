"""ATTENTION: one decay and one multiplier for all rows of all heads."""

from __future__ import annotations

import math
from typing import Any

from tinyflow.ir.integer import AttentionForm
from tinyflow.ir.ops.tokens import token_shape
from tinyflow.quantize.forms.activation import code_range, reach
from tinyflow.quantize.shares import MOST_ENTRIES, decay_of, mean_multiplier, spare_bits
from tinyflow.quantize.site import NoIntegerFormError, Site


def attention_form(site: Site) -> AttentionForm:
    attrs: Any = site.node.attrs
    q, k, v = site.operands
    keys, channels = token_shape(k.shape, "keys")
    depth = channels // attrs.heads
    if keys > MOST_ENTRIES:
        raise NoIntegerFormError(f"an attention to {keys} keys, {MOST_ENTRIES} are possible")
    # Twice, because the distance of two scores counts.
    if 2 * depth * reach(q) * max(map(abs, code_range(k))) >= 2**31:
        raise NoIntegerFormError(f"the scores of heads of {depth} channels do not fit in 32 bits")
    if attrs.scale < 0:
        raise NoIntegerFormError(f"its scale is {attrs.scale:g}, it must not be negative")
    real = q.params.scale * k.params.scale * attrs.scale * math.log2(math.e)
    output = mean_multiplier(v.params.scale / site.result.params.scale)
    return AttentionForm(decay_of(real), spare_bits(keys), output)
