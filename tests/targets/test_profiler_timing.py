"""Cycles of short assembly sequences against what the reference manuals give for them.

Expected figures are sums, one term for each instruction in order; a taken branch is written with
what it adds, as in 1 + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.sequences import (
    CLOSING_CYCLES,
    Piece,
    profile_pieces,
)
from tinyflow.targets.profiler.timing import list_timings


@dataclass(frozen=True)
class Case:
    name: str
    code: str
    cycles: int
    before: str = ""
    functions: str = ""

    @property
    def piece(self) -> Piece:
        return Piece(self.code, self.before, self.functions)


RETURNS = """
    .balign 4
    .type returns, %function
returns:
    bx lr
"""

POPS = """
    .balign 4
    .type pops, %function
pops:
    push {r4, lr}
    pop {r4, pc}
"""

# What every core of this project can execute: ARMv6-M.
COMMON = {
    "nothing": "",
    "add": "adds r2, r2, r3; " * 8,
    "multiply": "muls r2, r3, r2; " * 4,
    "load": "ldr r4, [r0]",
    "loads": "ldr r4, [r0]; ldr r5, [r1]; ldrb r6, [r0, #4]; ldrh r7, [r1, #6]",
    "load depends on load": "ldr r4, [r5]; ldr r6, [r4]",
    "load and use": "ldr r4, [r0]; adds r4, r4, r2",
    "store": "str r2, [r0]",
    "stores": "str r2, [r0]; strb r2, [r1]; strh r3, [r1, #2]",
    "load then store": "ldr r4, [r0]; str r4, [r1]",
    "store then load": "str r2, [r0]; ldr r4, [r1]",
    "address just computed": "adds r4, r0, r2; ldrb r5, [r4]",
    "index just computed": "adds r4, r2, r3; ldrb r5, [r0, r4]",
    "address computed before that": "adds r4, r0, r2; adds r3, r3, r2; ldrb r5, [r4]",
    "store to an address just computed": "adds r4, r0, r2; strb r5, [r4]",
    "load four": "ldm r0!, {r4-r7}",
    "store three": "stm r0!, {r4-r6}",
    "push and pop": "push {r4, r5}; pop {r4, r5}",
    "branch": "b 1f; nop; 1:",
    "not taken": "cmp r2, r3; beq 1f; nop; 1:",
    "taken": "cmp r2, r2; beq 1f; nop; 1: nop",
    "loop of ten": "movs r4, #10; 1: subs r4, r4, #1; bne 1b",
    "branch to a register": "bx r4; nop; 1: nop",
    "call and return": "bl returns; nop",
    "return by pop": "bl pops; nop",
    "literal": "ldr r4, 1f; b 2f; .balign 4; 1: .word 7; 2:",
}  # fmt: skip

BEFORE = {
    "load depends on load": "str r1, [r0]; mov r5, r0",
    "branch to a register": "adr r4, 1f; adds r4, r4, #1",
}
FUNCTIONS = {"call and return": RETURNS, "return by pop": POPS}


def common(cycles: dict[str, int]) -> list[Case]:
    assert cycles.keys() == COMMON.keys()
    return [
        Case(name, code, cycles[name], BEFORE.get(name, ""), FUNCTIONS.get(name, ""))
        for name, code in COMMON.items()
    ]


# Cortex-M3 and M4 manuals: pipelined loads, a pipeline that refills, addresses that stall.
CORTEX_M3 = common(
    {
        "nothing": 0,
        "add": 8,
        "multiply": 4,
        "load": 2,
        "loads": 2 + 1 + 1 + 1,
        "load depends on load": 2 + 2,
        "load and use": 2 + 1,
        "store": 1,
        "stores": 1 + 1 + 1,
        "load then store": 2 + 1,
        "store then load": 1 + 1,
        "address just computed": 1 + 2 + 1,
        "index just computed": 1 + 2 + 1,
        "address computed before that": 1 + 1 + 2,
        "store to an address just computed": 1 + 1,
        "load four": 1 + 4,
        "store three": 1 + 3,
        "push and pop": 1 + 2 + 1 + 2,
        "branch": 1 + 1,
        "not taken": 1 + 1 + 1,
        "taken": 1 + 1 + 1 + 1,
        "loop of ten": 1 + 10 * (1 + 1) + 9,
        "branch to a register": 1 + 2 + 1,
        "call and return": 1 + 1 + 1 + 2 + 1,
        "return by pop": 1 + 1 + 1 + 2 + 1 + 2 + 2 + 1,
        "literal": 2 + 1 + 1,
    }
)

# Cortex-M0+ manual: 2 for each access, 1 + N for N of them, 2 for a taken branch, 3 for BL.
CORTEX_M0PLUS = common(
    {
        "nothing": 0,
        "add": 8,
        "multiply": 4,
        "load": 2,
        "loads": 2 + 2 + 2 + 2,
        "load depends on load": 2 + 2,
        "load and use": 2 + 1,
        "store": 2,
        "stores": 2 + 2 + 2,
        "load then store": 2 + 2,
        "store then load": 2 + 2,
        "address just computed": 1 + 2,
        "index just computed": 1 + 2,
        "address computed before that": 1 + 1 + 2,
        "store to an address just computed": 1 + 2,
        "load four": 1 + 4,
        "store three": 1 + 3,
        "push and pop": 1 + 2 + 1 + 2,
        "branch": 2,
        "not taken": 1 + 1 + 1,
        "taken": 1 + 2 + 1,
        "loop of ten": 1 + 10 * (1 + 1) + 9,
        "branch to a register": 2 + 1,
        "call and return": 3 + 2 + 1,
        "return by pop": 3 + 1 + 2 + 3 + 2 + 1,
        "literal": 2 + 2,
    }
)

# ARMv7-M, on the Cortex-M3 as on the Cortex-M4.
ARMV7_M = [
    Case("wide add", "add.w r4, r8, r9; " * 3, 3),
    Case("multiply wide", "mul r4, r8, r9", 1),
    Case("divide, the middle of 2 to 12", "sdiv r4, r2, r3; udiv r5, r3, r2", 7 + 7),
    Case("bit fields", "ubfx r4, r2, #1, #2; bfi r4, r2, #8, #4; rbit r5, r4; clz r5, r4", 4),
    Case("saturate", "ssat r4, #8, r2; usat r4, #8, r2, asr #3", 2),
    Case("wide immediates", "movw r4, #0x1234; movt r4, #0x5678; sub r4, r4, #256", 3),
    Case("after the index", "ldr r4, [r0], #4; ldr r5, [r0], #4; ldr r6, [r0], #4", 2 + 1 + 1),
    Case("before the index", "ldrsb r4, [r0, #1]!; ldrsh r5, [r0, #1]!", 2 + 1),
    Case("shifted index", "ldr r4, [r0, r2, lsl #2]", 2),
    Case("shifted index just computed", "add r4, r2, #1; ldr r5, [r0, r4, lsl #2]", 1 + 2 + 1),
    Case("loaded value stored", "ldr r4, [r0]; str r4, [r1]; ldr r5, [r0]", 2 + 1 + 1),
    Case("load double", "ldrd r4, r5, [r0]", 3),
    Case("store double", "strd r4, r5, [r0]", 3),
    Case("double after single", "ldr r4, [r0]; ldrd r6, r7, [r1]", 2 + 3),
    Case("single after double", "ldrd r6, r7, [r1]; ldr r4, [r0]", 3 + 2),
    Case("double from a computed address", "add r4, r0, #8; ldrd r6, r7, [r4]", 1 + 3 + 1),
    Case("many wide", "ldm r0, {r4-r11}; stm r1, {r4-r11}", 1 + 8 + 1 + 8),
    Case("single after many", "ldm r0, {r4, r5}; ldr r6, [r1]", 1 + 2 + 2),
    Case("aligned wide target", "cmp r2, r2; beq 1f; nop; nop; 1: add.w r4, r2, r3", 1 + 2 + 1),
    Case("misaligned wide target", "cmp r2, r2; beq 1f; nop; 1: add.w r4, r2, r3", 1 + 2 + 1 + 1),
    Case("compare with zero, taken", "movs r4, #0; cbz r4, 1f; nop; 1: nop", 1 + 2 + 1),
    Case("compare with zero, not taken", "cbz r2, 1f; nop; 1:", 1 + 1),
    Case("wide branch", "b.w 1f; nop; nop; 1: nop", 2 + 1),
    Case("table branch", "movs r4, #0; tbb [pc, r4]; .byte 1, 1; 1: nop", 1 + (2 + 1 + 2) + 1),
    Case("if-then folds into 16 bits", "cmp r2, r2; it eq; addeq r4, r2, r3", 1 + 0 + 1),
    Case("if-then after 32 bits", "cmp.w r2, r2; it eq; addeq r4, r2, r3", 1 + 1 + 1),
    Case("if-then-else", "cmp r2, r2; ite eq; addeq r4, r2, r3; addne r4, r2, r2", 1 + 0 + 1 + 1),
    Case("conditional load, done", "cmp r2, r2; it eq; ldreq r4, [r0]", 1 + 0 + 2),
    Case("conditional load, not done", "cmp r2, r2; it ne; ldrne r4, [r0]", 1 + 0 + 1),
    Case("conditional double, done", "cmp r2, r2; it eq; ldrdeq r4, r5, [r0]", 1 + 0 + 3),
    Case("conditional double, not done", "cmp r2, r2; it ne; ldrdne r4, r5, [r0]", 1 + 0 + 1),
    Case("conditional many, done", "cmp r2, r2; it eq; ldmeq r0, {r4-r6}", 1 + 0 + 4),
    Case("conditional many, not done", "cmp r2, r2; it ne; ldmne r0, {r4-r6}", 1 + 0 + 1),
    Case(
        "conditional branch in if-then",
        "cmp r2, r2; it eq; beq.n 1f; nop; 1: nop",
        1 + 0 + 2 + 1,
    ),
    Case(
        "load after a folded if-then",
        "ldr r4, [r0]; cmp r2, r2; it eq; ldreq r5, [r1]",
        2 + 1 + 0 + 2,
    ),
    Case("unaligned word", "ldr r4, [r0, #2]", 2 + 1),
    Case("odd word", "ldr r4, [r0, #1]", 2 + 2),
    Case("odd half-word", "ldrh r4, [r0, #1]", 2 + 1),
    Case("unaligned store", "str r4, [r0, #2]", 1 + 1),
    Case("aligned half-words", "ldrh r4, [r0, #2]; ldrh r5, [r0, #6]", 2 + 1),
    Case("bytes are aligned", "ldrb r4, [r0, #1]; ldrb r5, [r0, #3]", 2 + 1),
    Case(
        "load to the program counter",
        "ldr pc, [r0]; nop; 1: nop",
        2 + 2 + 1,
        before="adr r4, 1f; adds r4, r4, #1; str r4, [r0]",
    ),
    Case("hints and barriers", "nop; nop.w; dmb", 3),
]

# The Cortex-M4's DSP extension and single-precision unit.
ARMV7E_M = [
    Case("multiply-accumulate", "mla r4, r2, r3, r5; mls r4, r2, r3, r5", 2),
    Case("long multiply", "smull r4, r5, r2, r3; umull r4, r5, r2, r3", 2),
    Case("long accumulate", "smlal r4, r5, r2, r3; umlal r4, r5, r2, r3; umaal r4, r5, r2, r3", 3),
    Case("dual 16-bit", "smlad r4, r2, r3, r4; " * 4, 4),
    Case("half-words", "smlabb r4, r2, r3, r4; smulbt r5, r2, r3; smlawb r6, r2, r3, r4", 3),
    Case("top word", "smmul r4, r2, r3; smmlar r4, r2, r3, r5; smmls r4, r2, r3, r5", 3),
    Case("long dual", "smlald r4, r5, r2, r3; smlalbb r4, r5, r2, r3; smlsld r4, r5, r2, r3", 3),
    Case(
        "unpack",
        "sxtb16 r4, r2; sxtb16 r5, r2, ror #8; pkhbt r6, r4, r5, lsl #16; sxtab r4, r2, r3",
        4,
    ),
    Case(
        "saturating",
        "qadd r4, r2, r3; ssat16 r4, #8, r2; uadd8 r4, r2, r3; sel r5, r2, r3; usad8 r4, r2, r3",
        5,
    ),
    Case("address from a multiplication", "mla r4, r2, r3, r0; ldrb r5, [r4]", 1 + 2 + 1),
    Case(
        "float add and multiply", "vadd.f32 s0, s1, s2; vmul.f32 s3, s4, s5; vsub.f32 s0, s1, s2", 3
    ),
    Case("float multiply-accumulate", "vmla.f32 s0, s1, s2; vfma.f32 s3, s4, s5", 3 + 3),
    Case("float divide and root", "vdiv.f32 s0, s1, s2; vsqrt.f32 s3, s4", 14 + 14),
    Case(
        "float conversions",
        "vcvt.s32.f32 s0, s1; vcvt.f32.s32 s0, s1; vcmp.f32 s1, s2; vmrs apsr_nzcv, fpscr",
        4,
    ),
    Case(
        "float moves",
        "vmov s0, r2; vmov r4, s0; vmov.f32 s1, s0; vmov r4, r5, s0, s1",
        1 + 1 + 1 + 2,
    ),
    Case(
        "float loads",
        "vldr s0, [r0]; vldr d1, [r0]; vldm r0, {s0-s3}; vpush {s0-s1}; vpop {s0-s1}",
        2 + 3 + 5 + 3 + 3,
    ),
    Case("float stores", "vstr s0, [r0]; vstr d1, [r0]; vstm r0, {s0-s3}", 2 + 3 + 5),
]

# What multiplies slowly on the Cortex-M3; 3 to 5 and 4 to 7 cycles are taken as 4 and 6.
CORTEX_M3_MULTIPLIER = [
    Case("multiply-accumulate", "mla r4, r2, r3, r5; mls r4, r2, r3, r5", 2 + 2),
    Case("long multiply", "smull r4, r5, r2, r3; umull r4, r5, r2, r3", 4 + 4),
    Case("long accumulate", "smlal r4, r5, r2, r3; umlal r4, r5, r2, r3", 6 + 6),
]

CASES = {
    "cortex-m0plus": CORTEX_M0PLUS,
    "cortex-m3": [*CORTEX_M3, *ARMV7_M, *CORTEX_M3_MULTIPLIER],
    "cortex-m4": [*CORTEX_M3, *ARMV7_M, *ARMV7E_M],
    "cortex-m33": [*CORTEX_M3, *ARMV7_M, *ARMV7E_M],
}
CLOSING = {"cortex-m0plus": 3}
UNCALIBRATED = ("cortex-m7", "cortex-m55")


def unique_functions(cases: Sequence[Case]) -> list[Piece]:
    """The cases' pieces, each function in them once."""
    seen: set[str] = set()
    pieces = []
    for case in cases:
        new = case.functions not in seen
        seen.add(case.functions)
        pieces.append(Piece(case.code, case.before, case.functions if new else ""))
    return pieces


@pytest.mark.parametrize("core", CASES)
def test_cycles_follow_from_the_manual(core: str, tmp_path: Path) -> None:
    cases = CASES[core]
    found = profile_pieces(unique_functions(cases), tmp_path, core)
    closing = CLOSING.get(core, CLOSING_CYCLES)
    measured = {c.name: i.total.cycles - closing for c, i in zip(cases, found, strict=True)}
    assert measured == {case.name: case.cycles for case in cases}
    assert not [unknown for inference in found for unknown in inference.unknown]


@pytest.mark.parametrize("core", UNCALIBRATED)
def test_an_estimate_is_one_cycle_an_instruction(core: str, tmp_path: Path) -> None:
    found = profile_pieces(unique_functions([*CORTEX_M3, *ARMV7_M, *ARMV7E_M]), tmp_path, core)
    for inference in found:
        assert inference.total.cycles == inference.total.instructions


def test_every_core_model_is_tested() -> None:
    assert set(list_timings()) == {*CASES, *UNCALIBRATED}
