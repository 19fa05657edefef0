"""From sums to codes with products of 16 by 16 bits, exactly: tinyflow_pairs_code.

The sum is a = 65536 * ah + al and the multiplier m = 65536 * mh + ml, al and ml without a sign.
The rounding's constants are multiples of 65536, so that of al * ml the upper half is enough:

    middle = ah * ml + al * mh + (al * ml >> 16) + nudge
    upper word of the product = ah * mh + (middle >> 16)

0 <= m < 2^31. For a >= 0, each of both products is at most (2^15 - 1) * (2^16 - 1), so that the
middle fits a word without a sign. For a < 0, ah * ml is in -2^15 * (2^16 - 1) .. -ml, which with
a nudge of -2^14 or 0 leaves the middle in a word with a sign. Hence one path for either sign.
"""

from __future__ import annotations


def load_requant(base: str, offset: int) -> list[str]:
    """A channel's words at ``base``, one of r0-r5: ml in r6, mh in r7, constant in lr, shift in
    r10. Changes r4."""
    return [
        f"ldr r4, [{base}, #{offset + 4}]",
        "mov lr, r4",
        f"ldr r4, [{base}, #{offset + 8}]",
        "mov r10, r4",
        f"ldrh r6, [{base}, #{offset}]",
        f"ldrh r7, [{base}, #{offset + 2}]",
    ]


def requantize(x: str, relu: bool, span: int, nudge: int) -> list[str]:
    """The sum in ``x`` becomes its code, counted from the lowest one. Changes r4, r5.

    ``relu``: the zero point is not above the lowest code. A sum of 0 or less requantizes to 0 or
    less, and so to that code.
    """
    lines = [f"cmp {x}, #0", "ble 5f"] if relu else []
    lines += [
        f"uxth r4, {x}",
        "movs r5, r4",
        "muls r5, r6, r5",
        "lsrs r5, r5, #16",
        "muls r4, r7, r4",
        "adds r5, r5, r4",
        f"asrs {x}, {x}, #16",
        f"movs r4, {x}",
        "muls r4, r6, r4",
        "adds r5, r5, r4",
    ]
    if not relu:
        lines += [f"cmp {x}, #0", "blt 5f"]
    lines += [*(["add r5, r8"] if nudge else []), "lsrs r5, r5, #16"]
    if not relu:
        lines += ["b 6f", "5: @ a negative sum"]
        lines += ["mov r4, r8", "subs r5, r5, r4"] if nudge else []
        lines += ["asrs r5, r5, #16", "6:"]
    lines += [
        f"muls {x}, r7, {x}",
        f"adds {x}, {x}, r5",
        f"add {x}, lr",
        "mov r4, r10",
        f"asrs {x}, r4",
        f"cmp {x}, #{span}",
        "bls 4f",
        # Below the lowest code 0, above the highest one the span.
        f"asrs {x}, {x}, #31",
        f"mvns {x}, {x}",
        f"movs r4, #{span}",
        f"ands {x}, r4",
    ]
    if relu:
        lines += ["b 4f", "5: @ not positive", f"movs {x}, #0"]
    return [*lines, "4:"]
