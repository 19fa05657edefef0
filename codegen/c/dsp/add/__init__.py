"""ADD and SUB on cores with the DSP extension: three instructions from two codes to their sum's."""

from tinyflow.codegen.c.dsp.add.variant import ADD, SUB

__all__ = ["ADD", "SUB"]
