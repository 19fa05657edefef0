"""Kernels for cores with the DSP extension (ARMv7E-M, ARMv8-M Mainline): text made per layer."""
