"""The assembly block that sweeps the planes of a channel group.

For each channel: its weights into registers or onto the stack, then line after line, four outputs
a pass. A sum takes its products word by word of the plane's lines; `taps` says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinyflow.codegen.c.dsp.depthwise.arithmetic import LARGEST_OFFSET, add, add_to, load_constant
from tinyflow.codegen.c.dsp.depthwise.channel import load_channel
from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.plan import OUTPUTS, POINT_BYTES, Plan
from tinyflow.codegen.c.dsp.depthwise.products import emit_products
from tinyflow.codegen.c.dsp.depthwise.registers import (
    IN,
    PASSES_BYTES,
    POOL,
    SAVED_BYTES,
    SUMS,
    Registers,
)
from tinyflow.codegen.c.dsp.depthwise.taps import Mac, line_macs

WINDOW_BYTES = 560
"""Lines of a window are unrolled up to this much code."""


@dataclass(frozen=True)
class Sweep:
    """``scaled``: weights are multiplied by 256, and with them the sums. Passes, and lines where
    there are few, follow each other without a loop up to ``straight_bytes`` of code, so that what
    loops stays in small caches."""

    plan: Plan
    finish: Finish
    scaled: bool
    straight_bytes: int

    @cached_property
    def registers(self) -> Registers:
        return Registers(self.plan, self.finish)

    @cached_property
    def _straight_window(self) -> bool:
        """Whether the lines of a window follow each other without a loop."""
        registers = self.registers
        line = self.plan.words_of(OUTPUTS) + registers.pairs + len(self._macs(OUTPUTS))
        size = 4 * self.plan.lines.kernel * line
        return registers.resident or (registers.reachable and size <= WINDOW_BYTES)

    @cached_property
    def _passes_at_once(self) -> int:
        """Full passes that the body of the loop over a line has; all, where there is no loop."""
        passes = self.plan.passes
        if not passes:
            return 0
        size = 4 * len(self._pass(0, 0, OUTPUTS))
        most = min(self.straight_bytes // size, PASSES_BYTES // self._step_in(0, OUTPUTS))
        fitting = [n for n in range(2, passes + 1) if n + passes % n <= most]
        return min([1, *fitting], key=lambda n: passes // n)

    @cached_property
    def _straight_lines(self) -> bool:
        """Whether all lines of a channel follow each other without a loop."""
        lines = self.plan.lines.out_size
        if not self.plan.is_whole or self._is_looped or not self.registers.reachable:
            return False
        size = 4 * lines * len(self._run([0], 0, self.plan.points.out_size))
        last = self._step_in(lines - 1, 0) + self.plan.lines.kernel * self.plan.line_bytes
        return size <= self.straight_bytes and last + PASSES_BYTES <= LARGEST_OFFSET

    @property
    def _is_looped(self) -> bool:
        """Whether there is a loop over the passes of a line."""
        return self.plan.passes >= 2 * max(self._passes_at_once, 1)

    def _macs(self, outputs: int) -> list[Mac]:
        return line_macs(self.plan.points.kernel, self.plan.points.stride, outputs, self.plan.odd)

    @property
    def comment(self) -> tuple[str, ...]:
        """What the block does and how, for its reader."""
        plan = self.plan
        kernel = f"{plan.lines.kernel}x{plan.points.kernel}"
        where = "registers from r4 on" if self.registers.resident else "the stack"
        scale = ", times 256, so that sums come shifted up by 8 bits" if self.scaled else ""
        kind = "columns" if plan.transposed else "rows"
        return (
            f"Depthwise {kernel}, strides {plan.lines.stride} and {plan.points.stride}: lines of"
            f" {plan.points.out_size} outputs from planes of",
            f"16-bit points, {plan.line_size} in a line. Lines are {kind} of the image.",
            f"r0-r3: sums of neighbouring outputs; r10: the plane; weight pairs in {where} as",
            f"16-bit halves{scale}; the rest: words of the plane, then what requantization",
            "needs. Pointers and counters are on the stack.",
        )

    def lines(self) -> list[str]:
        """The function, arguments (out, planes, stream, lines, channels)."""
        registers = self.registers
        return [
            "push {r4-r11, lr}",
            f"ldr r4, [sp, #{SAVED_BYTES}]",
            f"sub sp, #{registers.frame}",
            registers.store("r2", "stream"),
            registers.store("r4", "channels"),
            *self._keep_arguments(),
            *self._keep_common_constant(),
            "@ A channel.",
            "1:",
            *load_channel(registers, self.scaled),
            *self._channel(),
            f"add sp, #{registers.frame}",
            "pop {r4-r11, pc}",
        ]

    def _keep_arguments(self) -> list[str]:
        registers = self.registers
        if self.plan.is_whole:
            return [registers.store("r0", "out"), f"mov {IN}, r1"]
        homes = {"r0": "start", "r1": "plane", "r3": "lines"}
        return [registers.store(register, slot) for register, slot in homes.items()]

    def _keep_common_constant(self) -> list[str]:
        if (value := self.finish.common) is None:
            return []
        return [*load_constant("r4", value), self.registers.store("r4", "constant")]

    def _channel(self) -> list[str]:
        """From its loaded constants to the next channel."""
        plan = self.plan
        if self._straight_lines:
            body = self._run([*range(plan.lines.out_size)], 0, plan.points.out_size)
            lines = points = 0
        elif plan.is_whole and plan.lines.out_size == 1:
            body, points = self._line()
            lines = 0
        else:
            body, lines, points = self._loop_over_lines(), plan.lines.out_size, 0
        return [*body, *self._next_channel(lines, points)]

    def _loop_over_lines(self) -> list[str]:
        plan, registers = self.plan, self.registers
        out, left, *_ = registers.free
        if plan.is_whole:
            start = [f"movw r0, #{plan.lines.out_size}", registers.store("r0", "lines_left")]
        else:
            start = [
                registers.load("r0", "start"),
                registers.load("r1", "lines"),
                registers.load(IN, "plane"),
                registers.store("r0", "out"),
                registers.store("r1", "lines_left"),
            ]
        body, points = self._line()
        return [
            *start,
            "@ A line of outputs.",
            ".balign 4",
            "2:",
            *body,
            *add(out, plan.lines.out_step - points * plan.points.out_step),
            registers.store(out, "out"),
            registers.load(left, "lines_left"),
            *add(IN, self._step_in(1, -points)),
            f"subs {left}, {left}, #1",
            registers.store(left, "lines_left"),
            "bne 2b",
        ]

    def _next_channel(self, lines: int, points: int) -> list[str]:
        """Where all of a channel was swept, the pointers have moved on by so many lines and
        points, and the first free register holds the output pointer."""
        plan, registers = self.plan, self.registers
        out, left, *_ = registers.free
        if plan.is_whole:
            done = lines * plan.lines.out_step + points * plan.points.out_step
            move = [
                *add(out, 1 - done),
                registers.store(out, "out"),
                registers.load(left, "channels"),
                *add(IN, plan.plane_step - self._step_in(lines, points)),
                f"subs {left}, {left}, #1",
            ]
        else:
            move = [
                registers.load("r1", "plane"),
                registers.load("r2", "start"),
                registers.load(left, "channels"),
                *add("r1", plan.plane_step),
                "add r2, r2, #1",
                f"subs {left}, {left}, #1",
                registers.store("r1", "plane"),
                registers.store("r2", "start"),
            ]
        return [*move, registers.store(left, "channels"), "bne 1b"]

    def _step_in(self, lines: int, points: int) -> int:
        """Bytes of a plane between an output and one so many lines and points further."""
        along = points * self.plan.points.stride * POINT_BYTES
        return lines * self.plan.lines.stride * self.plan.line_bytes + along

    def _line(self) -> tuple[list[str], int]:
        """A line of outputs; how many of them the pointers have moved on."""
        plan, registers = self.plan, self.registers
        if not self._is_looped:
            return self._run([0], 0, plan.points.out_size), 0
        looped = self._passes_at_once * OUTPUTS
        times = plan.passes // self._passes_at_once
        out, left, *_ = registers.free
        done = times * looped
        return [
            *add_to("r0", IN, self._step_in(0, done)),
            registers.store("r0", "end_of_line"),
            f"@ {looped} outputs.",
            ".balign 4",
            "3:",
            *self._run([0], 0, looped),
            *add(out, looped * plan.points.out_step),
            registers.store(out, "out"),
            registers.load(left, "end_of_line"),
            *add(IN, self._step_in(0, looped)),
            f"cmp {IN}, {left}",
            "bne 3b",
            *self._run([0], done, plan.points.out_size, base=done),
        ], done

    def _run(self, lines: list[int], first: int, end: int, base: int = 0) -> list[str]:
        """Outputs [first, end) of each line, where the pointers stand at output ``base`` of line
        0; the first free register holds the output pointer then."""
        body: list[str] = []
        for line in lines:
            for point in range(first, end, OUTPUTS):
                outputs = min(OUTPUTS, end - point)
                body.append(f"@ Line {line}, outputs {point} to {point + outputs - 1}.")
                body += self._pass(line, point - base, outputs)
        return body

    def _pass(self, line: int, point: int, outputs: int) -> list[str]:
        """Neighbouring outputs, so many lines and points after where the pointers stand."""
        plan, registers = self.plan, self.registers
        at = self._step_in(line, point)
        window = self._window if self._straight_window else self._window_in_a_loop
        first = line * plan.lines.out_step + point * plan.points.out_step
        # The weights' registers come last, to be borrowed only where the free ones do not do.
        free = [*registers.free, *registers.borrowed]
        sums = SUMS[:outputs]
        return [
            registers.load(sums[-1], "bias"),
            *window(outputs, at),
            *self.finish.emit(sums, free, registers.slots, first, plan.points.out_step),
            *(registers.load(register, register) for register in registers.borrowed),
        ]

    def _window(self, outputs: int, at: int) -> list[str]:
        """The sums of a pass, line by line, from ``at`` bytes after the pointer on."""
        registers, macs = self.registers, self._macs(outputs)
        lines: list[str] = []
        started: set[int] = set()
        for line in range(self.plan.lines.kernel):
            words = (IN, at + line * self.plan.line_bytes)
            first = line * registers.pairs
            homes = dict(enumerate(registers.weights[first : first + registers.pairs]))
            weights = ("sp", registers.slots["weights"] + 4 * first)
            lines += emit_products(macs, words, weights, homes, registers.free, started)
        return lines

    def _window_in_a_loop(self, outputs: int, at: int) -> list[str]:
        """The same with a loop over the lines."""
        weights, left, *free = POOL
        kernel, macs = self.plan.lines.kernel, self._macs(outputs)
        return [
            *(f"mov {other}, {SUMS[outputs - 1]}" for other in SUMS[: outputs - 1]),
            f"add {weights}, sp, #{self.registers.slots['weights']}",
            f"mov {left}, #{kernel}",
            "@ A line of the windows.",
            ".balign 4",
            "4:",
            *emit_products(macs, (IN, at), (weights, 0), {}, free, set(range(outputs))),
            *add(IN, self.plan.line_bytes),
            *add(weights, 4 * self.registers.pairs),
            f"subs {left}, {left}, #1",
            "bne 4b",
            *add(IN, -kernel * self.plan.line_bytes),
        ]
