"""Kernels for 64-bit Arm with its vector instructions."""

from tinyflow.codegen.c.neon import conv2d, depthwise

VARIANTS = (*conv2d.VARIANTS, depthwise.DEPTHWISE)

__all__ = ["VARIANTS"]
