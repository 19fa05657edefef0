"""Kernels for cores that have no more than ARMv6-M: Thumb-1 without long products."""
