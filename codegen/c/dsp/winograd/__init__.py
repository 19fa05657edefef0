"""CONV_2D three taps wide by Winograd's F(2,3) along x, in exact integers."""

from tinyflow.codegen.c.dsp.winograd.variant import WINOGRAD

__all__ = ["WINOGRAD"]
