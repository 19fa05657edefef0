"""DEPTHWISE_CONV_2D on cores with the DSP extension: sweeps over planes of gathered channels."""

from tinyflow.codegen.c.dsp.depthwise.variant import BALANCED, SPEED

__all__ = ["BALANCED", "SPEED"]
