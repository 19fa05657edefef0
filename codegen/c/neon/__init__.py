"""Kernels for 64-bit Arm with its vector instructions."""

from tinyflow.codegen.c.neon import add, conv2d, depthwise

VARIANTS = (*add.VARIANTS, *conv2d.VARIANTS, depthwise.DEPTHWISE)

__all__ = ["VARIANTS"]
