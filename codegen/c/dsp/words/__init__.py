"""Layers without weights on cores with the DSP extension: several codes at a time."""

from tinyflow.codegen.c.dsp.words import (
    attention,
    channel_gate,
    cross_covariance,
    l2_norm,
    layer_norm,
    matmul,
    mean,
    mul,
    pool,
    softmax,
    table,
)
from tinyflow.codegen.c.variants.variant import Variant

VARIANTS: tuple[Variant, ...] = (
    pool.MAX_POOL,
    pool.AVERAGE_POOL,
    attention.ATTENTION,
    cross_covariance.CROSS_COVARIANCE,
    matmul.MATMUL,
    mean.MEAN,
    mul.MUL,
    softmax.SOFTMAX,
    l2_norm.L2_NORM,
    layer_norm.LAYER_NORM,
    channel_gate.CHANNEL_GATE,
    *table.VARIANTS,
)

__all__ = ["VARIANTS"]
