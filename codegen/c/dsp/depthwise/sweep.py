"""The assembly block that sweeps the planes of a channel group.

For each channel: its weights into registers or onto the stack, then line after line, four outputs
a pass. A sum takes its products word by word of the plane's lines; `taps` says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinyflow.codegen.c.dsp.depthwise.arithmetic import (
    LARGEST_OFFSET,
    add,
    add_to,
    load_constant,
)
from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.plan import OUTPUTS, POINT_BYTES, Plan
from tinyflow.codegen.c.dsp.depthwise.products import SUMS, emit_products
from tinyflow.codegen.c.dsp.depthwise.taps import Mac, line_macs, line_pairs

IN = "r10"
POOL = ["r4", "r5", "r6", "r7", "r8", "r9", "r11", "r12", "lr"]
"""For weights, words and what requantization needs."""

SAVED_BYTES = 36
MOST_RESIDENT = 6
"""Weight pairs that stay in registers; the three that are left take words."""

UNROLLED_BYTES = 560
"""Lines of a window are unrolled up to this much code, so that a loop stays in small caches."""


@dataclass(frozen=True)
class Sweep:
    """``scaled``: weights are multiplied by 256, and with them the sums."""

    plan: Plan
    finish: Finish
    scaled: bool

    @cached_property
    def pairs(self) -> int:
        """Weight pairs of a line."""
        return len(line_pairs(self.plan.points.kernel, self.plan.odd))

    @cached_property
    def resident(self) -> bool:
        """Whether the weights of a channel stay in registers."""
        return self.reachable and self.plan.pairs <= MOST_RESIDENT

    @property
    def reachable(self) -> bool:
        """Whether the offset of a load spans all lines of a window."""
        return self.plan.lines.kernel * self.plan.line_bytes <= LARGEST_OFFSET

    @cached_property
    def free(self) -> list[str]:
        """Registers that hold no weights."""
        return POOL[self.plan.pairs :] if self.resident else POOL

    @cached_property
    def borrowed(self) -> list[str]:
        """Registers of weights that the end of a pass needs too, and then reloads."""
        if not self.resident:
            return []
        return POOL[max(0, len(POOL) - self.finish.registers) : self.plan.pairs]

    @cached_property
    def unrolled(self) -> bool:
        """Whether the lines of a window follow each other without a loop."""
        macs = len(self._macs(OUTPUTS))
        size = 4 * self.plan.lines.kernel * (self.plan.words_of(OUTPUTS) + self.pairs + macs)
        return self.resident or (self.reachable and size <= UNROLLED_BYTES)

    @cached_property
    def slots(self) -> dict[str, int]:
        """What lies on the stack, bytes from SP."""
        names = [*self.finish.loaded, "bias", "end_of_line", "lines_left", "lines", "start"]
        names += ["plane", "stream", "channels", *self.borrowed]
        slots = {name: 4 * i for i, name in enumerate(names)}
        slots["weights"] = 4 * len(names)
        return slots

    @cached_property
    def frame(self) -> int:
        """Bytes of the stack beside the saved registers; the sum is a multiple of 8."""
        weights = 0 if self.resident else 8 * -(-self.plan.pairs // 2)
        size = self.slots["weights"] + weights
        return size + (size + SAVED_BYTES) % 8

    def _macs(self, outputs: int) -> list[Mac]:
        return line_macs(self.plan.points.kernel, self.plan.points.stride, outputs, self.plan.odd)

    @property
    def comment(self) -> tuple[str, ...]:
        """What the block does and how, for its reader."""
        plan = self.plan
        kernel = f"{plan.lines.kernel}x{plan.points.kernel}"
        where = "registers from r4 on" if self.resident else "the stack"
        scale = ", times 256, so that sums come shifted up by 8 bits" if self.scaled else ""
        kind = "columns" if plan.transposed else "rows"
        return (
            f"Depthwise {kernel}, strides {plan.lines.stride} and {plan.points.stride}: lines of"
            f" {plan.points.out_size} outputs from planes of",
            f"16-bit points, {plan.line_words * 2} in a line. Lines are {kind} of the image.",
            f"r0-r3: sums of neighbouring outputs; r10: the plane; weight pairs in {where} as",
            f"16-bit halves{scale}; the rest: words of the plane, then what requantization",
            "needs. Pointers and counters are on the stack.",
        )

    def lines(self) -> list[str]:
        """The function, arguments (out, planes, stream, lines, channels)."""
        slots = self.slots
        return [
            "push {r4-r11, lr}",
            f"ldr r4, [sp, #{SAVED_BYTES}]",
            f"sub sp, #{self.frame}",
            f"str r0, [sp, #{slots['start']}]",
            f"str r1, [sp, #{slots['plane']}]",
            f"str r2, [sp, #{slots['stream']}]",
            f"str r3, [sp, #{slots['lines']}]",
            f"str r4, [sp, #{slots['channels']}]",
            *self._common_constant(),
            "@ A channel.",
            "1:",
            *self._channel(),
            f"ldr r0, [sp, #{slots['channels']}]",
            f"ldr r1, [sp, #{slots['plane']}]",
            f"ldr r2, [sp, #{slots['start']}]",
            *add("r1", self.plan.plane_bytes),
            "add r2, r2, #1",
            "subs r0, r0, #1",
            f"str r0, [sp, #{slots['channels']}]",
            f"str r1, [sp, #{slots['plane']}]",
            f"str r2, [sp, #{slots['start']}]",
            "bne 1b",
            f"add sp, #{self.frame}",
            "pop {r4-r11, pc}",
        ]

    def _common_constant(self) -> list[str]:
        if (value := self.finish.common) is None:
            return []
        return [*load_constant("r4", value), f"str r4, [sp, #{self.slots['constant']}]"]

    def _channel(self) -> list[str]:
        plan, slots = self.plan, self.slots
        body = [
            *self._load_channel(),
            "@ A line of outputs.",
            ".balign 4",
            "2:",
        ]
        advance = OUTPUTS * plan.points.stride * POINT_BYTES
        out, left, *_ = self.free
        if plan.passes > 1:
            body += [
                *add_to("r0", IN, plan.passes * advance),
                f"str r0, [sp, #{slots['end_of_line']}]",
            ]
            body += ["@ Four outputs.", ".balign 4", "3:"]
        if plan.passes:
            body += self._pass(OUTPUTS)
            body += add(out, OUTPUTS * plan.points.out_step)
            body.append(f"str {out}, [sp, #{slots['out']}]")
            if plan.passes > 1:
                body.append(f"ldr {left}, [sp, #{slots['end_of_line']}]")
            body += [*self._reload(), *add(IN, advance)]
            if plan.passes > 1:
                body += [f"cmp {IN}, {left}", "bne 3b"]
        if plan.rest:
            body += [f"@ The last {plan.rest} of the line.", *self._pass(plan.rest)]
        done = plan.passes * OUTPUTS * plan.points.out_step
        return [
            *body,
            *add(out, plan.lines.out_step - done),
            f"str {out}, [sp, #{slots['out']}]",
            f"ldr {left}, [sp, #{slots['lines_left']}]",
            *(self._reload() if plan.rest else []),
            *add(IN, plan.lines.stride * plan.line_bytes - plan.passes * advance),
            f"subs {left}, {left}, #1",
            f"str {left}, [sp, #{slots['lines_left']}]",
            "bne 2b",
        ]

    def _reload(self) -> list[str]:
        """Puts borrowed weights back."""
        return [f"ldr {register}, [sp, #{self.slots[register]}]" for register in self.borrowed]

    def _load_channel(self) -> list[str]:
        """Weights, bias and constants from the stream; the pointers to the channel's start."""
        slots = self.slots
        names = ["bias", *self.finish.tables]
        registers = SUMS[: len(names)]
        return [
            f"ldr lr, [sp, #{slots['stream']}]",
            *(self._weights_to_registers() if self.resident else self._weights_to_stack()),
            f"ldm lr!, {{{', '.join(registers)}}}",
            *(f"str {r}, [sp, #{slots[name]}]" for r, name in zip(registers, names, strict=True)),
            f"str lr, [sp, #{slots['stream']}]",
            f"ldr r0, [sp, #{slots['start']}]",
            f"ldr r1, [sp, #{slots['lines']}]",
            f"ldr {IN}, [sp, #{slots['plane']}]",
            f"str r0, [sp, #{slots['out']}]",
            f"str r1, [sp, #{slots['lines_left']}]",
        ]

    def _unpack(self, first: str, second: str | None, word: str) -> list[str]:
        """Two weight pairs from a word; ``second`` may be the word's register."""
        if self.scaled:
            lines = [f"lsl {first}, {word}, #8", f"and {first}, {first}, #0xff00ff00"]
            return lines + ([f"and {second}, {word}, #0xff00ff00"] if second else [])
        lines = [f"sxtb16 {first}, {word}"]
        return lines + ([f"sxtb16 {second}, {word}, ror #8"] if second else [])

    def _weights_to_registers(self) -> list[str]:
        homes = POOL[: self.plan.pairs]
        couples = [(homes[i], homes[i + 1 : i + 2]) for i in range(0, len(homes), 2)]
        words = [second[0] if second else first for first, second in couples]
        load = (
            f"ldr {words[0]}, [lr], #4" if len(words) == 1 else f"ldm lr!, {{{', '.join(words)}}}"
        )
        lines = [load]
        for (first, second), word in zip(couples, words, strict=True):
            lines += self._unpack(first, second[0] if second else None, word)
        return lines + [f"str {r}, [sp, #{self.slots[r]}]" for r in self.borrowed]

    def _weights_to_stack(self) -> list[str]:
        words = -(-self.plan.pairs // 2)
        body = ["ldr r5, [lr], #4", *self._unpack("r4", "r5", "r5")]
        if words <= 4:
            lines = []
            for i in range(words):
                offset = self.slots["weights"] + 8 * i
                lines += [*body, f"str r4, [sp, #{offset}]", f"str r5, [sp, #{offset + 4}]"]
            return lines
        return [
            f"add r6, sp, #{self.slots['weights']}",
            f"mov r7, #{words}",
            "@ Two pairs of weights.",
            ".balign 4",
            "5:",
            *body,
            "subs r7, r7, #1",
            "str r4, [r6], #4",
            "str r5, [r6], #4",
            "bne 5b",
        ]

    def _pass(self, outputs: int) -> list[str]:
        sums = SUMS[:outputs]
        # The weights' registers come last, to be borrowed only where the free ones do not do.
        free = [*self.free, *self.borrowed]
        window = self._window(outputs) if self.unrolled else self._window_in_a_loop(outputs)
        finish = self.finish.emit(sums, free, self.slots, self.plan.points.out_step)
        return [f"ldr {sums[-1]}, [sp, #{self.slots['bias']}]", *window, *finish]

    def _window(self, outputs: int) -> list[str]:
        """The sums of a pass, line by line."""
        lines: list[str] = []
        started: set[int] = set()
        for line in range(self.plan.lines.kernel):
            at = (IN, line * self.plan.line_bytes)
            if self.resident:
                homes = dict(enumerate(POOL[line * self.pairs : (line + 1) * self.pairs]))
                lines += emit_products(self._macs(outputs), at, None, homes, self.free, started)
            else:
                weights = ("sp", self.slots["weights"] + 4 * line * self.pairs)
                lines += emit_products(self._macs(outputs), at, weights, {}, POOL, started)
        return lines

    def _window_in_a_loop(self, outputs: int) -> list[str]:
        """The same with a loop over the lines."""
        weights, left, *free = POOL
        kernel = self.plan.lines.kernel
        macs = self._macs(outputs)
        last = SUMS[outputs - 1]
        return [
            *(f"mov {other}, {last}" for other in SUMS[: outputs - 1]),
            f"add {weights}, sp, #{self.slots['weights']}",
            f"mov {left}, #{kernel}",
            "@ A line of the windows.",
            ".balign 4",
            "4:",
            *emit_products(macs, (IN, 0), (weights, 0), {}, free, set(range(outputs))),
            *add(IN, self.plan.line_bytes),
            *add(weights, 4 * self.pairs),
            f"subs {left}, {left}, #1",
            "bne 4b",
            *add(IN, -kernel * self.plan.line_bytes),
        ]
