"""Additions of constants in Thumb-2."""

from __future__ import annotations

LARGEST_OFFSET = 4095
"""Of a load or store with an immediate offset, of ADDW and of SUBW."""


def add(register: str, value: int) -> list[str]:
    """``register += value``, in as few instructions as its size takes: 12 bits at the bottom,
    then 8 at a time."""
    verb, rest = ("sub", -value) if value < 0 else ("add", value)
    low = rest & LARGEST_OFFSET
    lines = [f"{verb}w {register}, {register}, #{low}"] if low else []
    for place in range(12, rest.bit_length(), 8):
        piece = rest & (0xFF << place)
        lines += [f"{verb} {register}, {register}, #{piece}"] if piece else []
    return lines


def add_to(target: str, register: str, value: int) -> list[str]:
    """``target = register + value``, for a value that is not negative."""
    if value <= LARGEST_OFFSET:
        return [f"addw {target}, {register}, #{value}"]
    return [f"mov {target}, {register}", *add(target, value)]


def load_constant(register: str, value: int) -> list[str]:
    low, high = value & 0xFFFF, (value >> 16) & 0xFFFF
    lines = [f"movw {register}, #{low}"]
    return [*lines, f"movt {register}, #{high}"] if high else lines
