"""Layers without weights on cores with the DSP extension: several codes at a time."""

from tinyflow.codegen.c.dsp.words import matmul, mean, mul, pool, softmax, table
from tinyflow.codegen.c.variants.variant import Variant

VARIANTS: tuple[Variant, ...] = (
    pool.MAX_POOL,
    pool.AVERAGE_POOL,
    matmul.MATMUL,
    mean.MEAN,
    mul.MUL,
    softmax.SOFTMAX,
    *table.VARIANTS,
)

__all__ = ["VARIANTS"]
