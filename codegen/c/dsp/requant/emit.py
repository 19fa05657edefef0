"""Writes requantization as assembly for ARMv7E-M, in GNU's unified syntax.

Each function returns lines without indentation; comments start with ``@``. Cycles are those of a
Cortex-M4 without wait states.
"""

from __future__ import annotations

from tinyflow.codegen.c.dsp.requant.generic import GenericRequant
from tinyflow.codegen.c.dsp.requant.saturation import Saturation
from tinyflow.codegen.c.dsp.requant.short import ShortRequant, SignFix, SignWay
from tinyflow.ir import Rounding


def emit_short(
    requant: ShortRequant,
    *,
    acc: str,
    multiplier: str,
    constant: str,
    out: str,
    mirror: str | None = None,
    store: str | None = None,
) -> list[str]:
    """The short form, for a channel where it is proven: ``requant.cycles``, 1 more to store.

    ``acc`` holds the accumulator as the kernel has it, and is lost where ``requant.lift`` is not
    0. ``out`` receives the code, sign-extended. It may be ``acc``, unless ``requant.sign`` is
    there; never ``multiplier``, ``constant`` or ``mirror``, which are kept. ``mirror`` is needed,
    and flags are lost, with `SignWay.MIRROR`. ``store`` is the operand of a STRB, such as
    ``[r0, #3]`` or ``[r0], #1``.
    """
    if out in (multiplier, constant, mirror) or (requant.sign is not None and out == acc):
        raise ValueError(f"'{out}' cannot receive the code: it is still needed")
    lines = []
    if requant.lift:
        lines.append(f"lsl {acc}, {acc}, #{requant.lift}")
    addend = constant
    if (sign := requant.sign) is not None:
        addend = out
        if sign.way is SignWay.MIRROR and mirror is None:
            raise ValueError("the mirrored constant must be in a register")
        lines += [line.format(o=out, c=constant, a=acc, m=mirror) for line in _sign(sign)]
    product = "smmlar" if requant.rounded else "smmla"
    lines.append(f"{product} {out}, {acc}, {multiplier}, {addend}")
    lines += emit_saturation(requant.saturation, out, requant.shift)
    return lines + _store(out, store)


def emit_generic(
    requant: GenericRequant,
    *,
    acc: str,
    multiplier: str,
    right: str,
    out: str,
    left: str | None = None,
    temporary: str | None = None,
    store: str | None = None,
) -> list[str]:
    """The generic form, for any channel that `GenericRequant.holds`: ``requant.cycles``, 1 more
    to store.

    ``right`` and ``left`` hold the channel's entries of these tables; ``left`` is only needed
    where `GenericRequant.common_left` is None. ``acc`` is lost. ``temporary`` is needed where
    ``requant.wide``. ``out`` receives the code, sign-extended, and
    may be ``acc``; all other registers are kept. Flags are lost.
    """
    if out in (multiplier, right, left, temporary) or acc in (multiplier, right, left, temporary):
        raise ValueError(f"'{out}' or '{acc}' serves twice")
    lines = _lift(requant, acc, left) + _product(requant, acc, multiplier, out, temporary)
    if requant.nudge_by_channel:
        lines += [
            f"cmn {right}, #0 @ Z: no shift; C = 0",
            "it ne",
            f"addne {out}, {out}, {out}, asr #31",
        ]
    elif requant.rounding is Rounding.DOUBLE:
        lines.append(f"add {out}, {out}, {out}, asr #31 @ ties go away from 0")
    lines.append(f"asrs {out}, {out}, {right} @ C = the last bit shifted out")
    if requant.wide:
        lines += [f"adc {out}, {out}, #0", f"ssat {out}, #16, {out}", *_add(out, requant.offset)]
    else:
        lines += _add_with_carry(out, requant.offset)
    return lines + emit_saturation(requant.saturation, out, 0) + _store(out, store)


def emit_saturation(way: Saturation, out: str, shift: int) -> list[str]:
    """A right shift by 0 to 31 bits, then the saturation: ``way.cycles``."""
    first, second = way.offsets
    amount = f", asr #{shift}" if shift else ""
    lines = [f"{'ssat' if way.signed else 'usat'} {out}, #{way.bits}, {out}{amount}"]
    lines += _add(out, first)
    if way.upper is not None:
        lines.append(f"ssat {out}, #8, {out}")
        lines += _add(out, second)
    return lines


def _sign(sign: SignFix) -> list[str]:
    """The constant, smaller where the accumulator is negative."""
    return {
        SignWay.STEP: ["add {o}, {c}, {a}, asr #31 @ 1 less where negative"],
        SignWay.SLOPE: [f"sub {{o}}, {{c}}, {{a}}, lsr #{32 - sign.bits} @ less where negative"],
        SignWay.SPLIT: [
            "asr {o}, {a}, #31",
            f"add {{o}}, {{c}}, {{o}}, lsl #{sign.bits} @ less where negative",
        ],
        SignWay.MIRROR: [
            "eors {o}, {m}, {a}, asr #32 @ C = the sign",
            "adc {o}, {o}, {c} @ the constant plus or minus its mirror",
        ],
    }[sign.way]


def _lift(requant: GenericRequant, acc: str, left: str | None) -> list[str]:
    """Brings the accumulator ``left`` bits up from where it is plain."""
    held, common = requant.register_shift, requant.common_left
    if common is None:
        if left is None:
            raise ValueError("the left shift differs by channel and must be in a register")
        plain = [f"asr {acc}, {acc}, #{held}"] if held else []
        return [*plain, f"lsl {acc}, {acc}, {left}"]
    if common > held:
        return [f"lsl {acc}, {acc}, #{common - held}"]
    return [f"asr {acc}, {acc}, #{held - common}"] if common < held else []


def _product(
    requant: GenericRequant, acc: str, multiplier: str, out: str, temporary: str | None
) -> list[str]:
    double = requant.rounding is Rounding.DOUBLE
    if not requant.wide:
        return [f"{'smmulr' if double else 'smmul'} {out}, {acc}, {multiplier}"]
    if temporary is None:
        raise ValueError("64-bit products need a temporary register")
    low, high = temporary, out
    lines = [
        f"smull {low}, {high}, {acc}, {multiplier}",
        f"lsls {low}, {low}, #1",
        f"adc {high}, {high}, {high} @ doubled",
        f"lsls {low}, {low}, #1 @ C = the bit below",
    ]
    return [*lines, f"adc {high}, {high}, #0 @ rounded"] if double else lines


def _add(out: str, value: int) -> list[str]:
    """ADDW and SUBW take any 12 bits, and keep the flags."""
    if value == 0:
        return []
    if value < 0:
        return [f"subw {out}, {out}, #{-value}"]
    return [f"addw {out}, {out}, #{value}"]


def _add_with_carry(out: str, value: int) -> list[str]:
    """``out += value + C``; these two take 8 bits."""
    if 0 <= value <= 255:
        return [f"adc {out}, {out}, #{value}"]
    if -256 <= value < 0:
        return [f"sbc {out}, {out}, #{-value - 1} @ {value} + C"]
    return [f"adc {out}, {out}, #0", *_add(out, value)]


def _store(out: str, operand: str | None) -> list[str]:
    return [] if operand is None else [f"strb {out}, {operand}"]
