"""CROSS_COVARIANCE: a temperature for each head; the scales of queries and keys cancel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyflow.ir.integer import CrossCovarianceForm
from tinyflow.ir.ops.tokens import token_shape
from tinyflow.quantize.fixed_point import quantize_multiplier
from tinyflow.quantize.forms.activation import reach
from tinyflow.quantize.shares import MOST_ENTRIES, mean_multiplier, spare_bits
from tinyflow.quantize.site import NoIntegerFormError, Site


def cross_covariance_form(site: Site) -> CrossCovarianceForm:
    attrs: Any = site.node.attrs
    q, k, v, temperature = site.operands
    if not temperature.is_constant:
        raise NoIntegerFormError("its temperature is computed, it must be a constant")
    tokens, channels = token_shape(q.shape, "queries")
    depth = channels // attrs.heads
    if depth > MOST_ENTRIES:
        raise NoIntegerFormError(f"heads of {depth} channels, {MOST_ENTRIES} are possible")
    if tokens * max(reach(q), reach(k)) ** 2 >= 2**31:
        raise NoIntegerFormError(f"sums over {tokens} tokens do not fit in 32 bits")
    bits = [float(t) * math.log2(math.e) for t in temperature.value.astype(np.float64)]
    if max(map(abs, bits)) >= 2.0**30:
        raise NoIntegerFormError(f"its temperature {max(map(abs, bits)):g} is too large")
    factors = [quantize_multiplier(abs(b)) for b in bits]
    return CrossCovarianceForm(
        np.array(
            [f.multiplier * (-1 if b < 0 else 1) for f, b in zip(factors, bits, strict=True)],
            dtype=np.int32,
        ),
        np.array([f.shift for f in factors], dtype=np.int8),
        _least_square(attrs.epsilon, q.params.scale),
        _least_square(attrs.epsilon, k.params.scale),
        spare_bits(depth),
        mean_multiplier(v.params.scale / site.result.params.scale),
    )


def _least_square(epsilon: float, scale: float) -> int:
    """The square of the least norm, in codes."""
    square = (epsilon / scale) ** 2
    if square >= 2.0**31 - 1:
        raise NoIntegerFormError(f"its epsilon {epsilon:g} is too large for the scale {scale:g}")
    return max(round(square), 1)
