"""The start of a channel: its weights and constants, from the stream to where passes find them."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.depthwise.registers import SUMS, Registers

STREAM = "lr"


def load_channel(registers: Registers, scaled: bool) -> list[str]:
    """``scaled``: weights are multiplied by 256. Leaves r0-r3 free."""
    names = ["bias", *registers.finish.tables]
    taken = SUMS[: len(names)]
    weights = _weights_to_registers if registers.resident else _weights_to_stack
    return [
        registers.load(STREAM, "stream"),
        *weights(registers, scaled),
        f"ldm {STREAM}!, {{{', '.join(taken)}}}",
        *(registers.store(r, name) for r, name in zip(taken, names, strict=True)),
        registers.store(STREAM, "stream"),
    ]


def _unpack(scaled: bool, first: str, second: str | None, word: str) -> list[str]:
    """Two weight pairs from a word; ``second`` may be the word's register."""
    if scaled:
        lines = [f"lsl {first}, {word}, #8", f"and {first}, {first}, #0xff00ff00"]
        return lines + ([f"and {second}, {word}, #0xff00ff00"] if second else [])
    if second is None:
        return [f"sxtb16 {first}, {word}"]
    return [f"sxtb16 {first}, {word}", f"sxtb16 {second}, {word}, ror #8"]


def _weights_to_registers(registers: Registers, scaled: bool) -> list[str]:
    homes = registers.weights
    couples = [homes[i : i + 2] for i in range(0, len(homes), 2)]
    words = [couple[-1] for couple in couples]
    if len(words) == 1:
        lines = [f"ldr {words[0]}, [{STREAM}], #4"]
    else:
        lines = [f"ldm {STREAM}!, {{{', '.join(words)}}}"]
    for couple, word in zip(couples, words, strict=True):
        lines += _unpack(scaled, couple[0], couple[1] if len(couple) > 1 else None, word)
    return lines + [registers.store(register, register) for register in registers.borrowed]


def _weights_to_stack(registers: Registers, scaled: bool) -> list[str]:
    words = -(-registers.plan.pairs // 2)
    home = registers.slots["weights"]
    body = [f"ldr r5, [{STREAM}], #4", *_unpack(scaled, "r4", "r5", "r5")]
    return [
        f"add r6, sp, #{home}",
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
