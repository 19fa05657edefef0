"""The assembly block that spreads lines of an NHWC image over the planes of four channels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tinyflow.codegen.c.dsp.depthwise.arithmetic import LARGEST_OFFSET, add, add_to
from tinyflow.codegen.c.dsp.depthwise.plan import GROUP, POINT_BYTES, Plan

PLANES = ["r0", "r3", "r4", "r5"]
IN = "r1"
LINES = "r2"
PIXELS = ["r6", "r7", "r8", "r9"]
FREE = ["r10", "r11", "r12"]
COUNT = "lr"

MOST_UNROLLED = 9
"""Points of a line that are gathered without a loop."""


@dataclass(frozen=True)
class Gather:
    """Points of a line are gathered in pairs that share a word of their planes. Where the padding
    before them is odd, the first one stands alone; so may the last.

    Short lines are unrolled and address all planes from one pointer; long ones take four points
    at a time in a loop, with a pointer for each plane.
    """

    plan: Plan

    @property
    def points(self) -> int:
        """Points of a line that the planes have room for."""
        points = self.plan.points
        return max(min(points.size, 2 * self.plan.line_words - points.pad), 0)

    @property
    def unrolled(self) -> bool:
        last = (GROUP - 1) * self.plan.plane_bytes + self.plan.line_bytes
        return self.points <= MOST_UNROLLED and last <= LARGEST_OFFSET

    @property
    def comment(self) -> tuple[str, ...]:
        return (
            f"Gathers lines of {self.points} points of four channels into planes.",
            "r1: the image; r2: lines left; r6-r9: points, the bytes of four channels each;",
            "r10-r12: 16-bit values, paired with those of the next point; r0, r3-r5: the planes.",
        )

    def lines(self) -> list[str]:
        """The function, arguments (planes, in, lines)."""
        body = self._line_unrolled() if self.unrolled else self._line_in_a_loop()
        return [
            "push {r4-r11, lr}",
            *([] if self.unrolled else self._plane_pointers()),
            "@ A line.",
            ".balign 4",
            "1:",
            *body,
            f"subs {LINES}, {LINES}, #1",
            "bne 1b",
            "pop {r4-r11, pc}",
        ]

    def _plane_pointers(self) -> list[str]:
        lines = add(PLANES[0], POINT_BYTES * self.plan.points.pad)
        for before, pointer in pairwise(PLANES):
            lines += add_to(pointer, before, self.plan.plane_bytes)
        return lines

    @property
    def _cuts(self) -> tuple[list[int], int, list[int]]:
        """How many points are gathered at a time: at first, then four so many times, then the
        rest."""
        if not self.points:
            return [], 0, []
        first = self.plan.points.pad % 2
        quads, rest = divmod(self.points - first, 4)
        return [1] * first, quads, [2] * (rest // 2) + [1] * (rest % 2)

    def _line_unrolled(self) -> list[str]:
        """All points at offsets from the pointers."""
        image = _Image(self.plan.points.in_step)
        planes = _Offsets(self.plan.plane_bytes, POINT_BYTES * self.plan.points.pad)
        first, quads, rest = self._cuts
        body = [
            line
            for count in [*first, *[4] * quads, *rest]
            for line in _points(count, image, planes)
        ]
        return [
            *body,
            *add(IN, self.plan.lines.in_step - image.moved),
            *add(PLANES[0], self.plan.line_bytes),
        ]

    def _line_in_a_loop(self) -> list[str]:
        step = self.plan.points.in_step

        def points(count: int) -> list[str]:
            image = _Image(step)
            return _points(count, image, _Pointers()) + add(IN, count * step - image.moved)

        first, quads, rest = self._cuts
        lines = [line for count in first for line in points(count)]
        lines += _repeat(points(4), quads) if quads else []
        lines += [line for count in rest for line in points(count)]
        lines += add(IN, self.plan.lines.in_step - self.points * step)
        for pointer in PLANES:
            lines += add(pointer, self.plan.line_bytes - POINT_BYTES * self.points)
        return lines


def _repeat(body: list[str], times: int) -> list[str]:
    return [
        f"movw {COUNT}, #{times}",
        "@ Four points.",
        ".balign 4",
        "2:",
        *body,
        f"subs {COUNT}, {COUNT}, #1",
        "bne 2b",
    ]


class _Image:
    """Loads points one after another; moves the pointer where an offset does not reach."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.next = 0
        self.moved = 0

    def load(self, count: int) -> list[str]:
        lines: list[str] = []
        for pixel in PIXELS[:count]:
            if self.next - self.moved > LARGEST_OFFSET:
                lines += add(IN, self.next - self.moved)
                self.moved = self.next
            lines.append(f"ldr {pixel}, [{IN}, #{self.next - self.moved}]")
            self.next += self.step
        return lines


class _Offsets:
    """The planes at offsets from one pointer."""

    def __init__(self, plane_bytes: int, position: int) -> None:
        self.plane_bytes, self.position = plane_bytes, position

    def operands(self, size: int) -> list[str]:
        """Where the next ``size`` bytes of each plane are stored."""
        first = self.position
        self.position += size
        return [f"[{PLANES[0]}, #{first + k * self.plane_bytes}]" for k in range(GROUP)]


class _Pointers:
    """A pointer for each plane."""

    def operands(self, size: int) -> list[str]:
        return [f"[{pointer}], #{size}" for pointer in PLANES]


def _points(count: int, image: _Image, planes: _Offsets | _Pointers) -> list[str]:
    """The next one, two or four points of a line."""
    lines = image.load(count)
    if count == 1:
        return lines + _one(PIXELS[0], planes.operands(POINT_BYTES))
    for first in range(0, count, 2):
        lines += _two(PIXELS[first], PIXELS[first + 1], planes.operands(2 * POINT_BYTES))
    return lines


def _one(pixel: str, homes: list[str]) -> list[str]:
    even, *_ = FREE
    return [
        f"sxtb16 {even}, {pixel}",
        f"sxtb16 {pixel}, {pixel}, ror #8",
        f"strh {even}, {homes[0]}",
        f"strh {pixel}, {homes[1]}",
        f"lsr {even}, {even}, #16",
        f"lsr {pixel}, {pixel}, #16",
        f"strh {even}, {homes[2]}",
        f"strh {pixel}, {homes[3]}",
    ]


def _two(first: str, second: str, homes: list[str]) -> list[str]:
    """Channels 0 and 2 of a point share a register, and 1 and 3: regrouped by channel."""
    even, other, pair = FREE
    return [
        f"sxtb16 {even}, {first}",
        f"sxtb16 {other}, {second}",
        f"pkhbt {pair}, {even}, {other}, lsl #16",
        f"pkhtb {other}, {other}, {even}, asr #16",
        f"sxtb16 {first}, {first}, ror #8",
        f"sxtb16 {second}, {second}, ror #8",
        f"str {pair}, {homes[0]}",
        f"str {other}, {homes[2]}",
        f"pkhbt {pair}, {first}, {second}, lsl #16",
        f"pkhtb {second}, {second}, {first}, asr #16",
        f"str {pair}, {homes[1]}",
        f"str {second}, {homes[3]}",
    ]
