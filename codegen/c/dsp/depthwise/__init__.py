"""DEPTHWISE_CONV_2D on cores with the DSP extension: sweeps over planes of gathered channels."""

from tinyflow.codegen.c.dsp.depthwise.variant import VARIANTS

__all__ = ["VARIANTS"]
