"""The profiler's decoder against the assembler, instruction by instruction."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tinyflow.targets import load_target
from tinyflow.targets.profiler.plugin import plugin_sources
from tinyflow.targets.tools import call

PROGRAM = """
#include <stdio.h>
#include "thumb.h"
int main(void)
{
    unsigned first, second;
    while (scanf("%x %x", &first, &second) == 2) {
        const thumb_instruction i = thumb_decode((uint16_t)first, (uint16_t)second);
        printf("%s %d %d %d %d %x %x %x\\n", thumb_class_names[i.kind], i.bytes, i.words,
               i.it_length, i.jumps, i.computed, i.loaded, i.address);
    }
    return 0;
}
"""

# Class: instructions of it. A slash parts lines; 0 and 1 are labels before and after.
CORTEX_M4 = {
    "alu": (
        "lsls r1, r2, #3; movs r1, #1; cmp r1, #1; adds r1, #200; subs r1, r2, #7; ands r1, r2;"
        "tst r1, r2; mvns r1, r2; add r8, r9; mov r8, r1; cmp r8, r9; adr r1, 1f; add r1, sp, #8;"
        "add sp, #16; sub sp, #16; sxth r1, r2; uxtb r1, r2; rev r1, r2; revsh r1, r2;"
        "add.w r1, r2, r3, lsl #4; teq r1, r2; cmn.w r1, r2; pkhtb r1, r2, r3, asr #3;"
        "orn r1, r2, #255; movw r1, #9; movt r1, #9; bfi r1, r2, #1, #2; bfc r1, #1, #2;"
        "sbfx r1, r2, #1, #2; ssat r1, #3, r2; usat16 r1, #3, r2; addw r1, r2, #4000;"
        "lsl.w r1, r2, r3; ror.w r1, r2, r3; sxtab16 r1, r2, r3; uxtb16 r1, r2, ror #8;"
        "sadd16 r1, r2, r3; uqsub8 r1, r2, r3; shasx r1, r2, r3; qdadd r1, r2, r3; sel r1, r2, r3;"
        "clz r1, r2; rbit r1, r2; rev16.w r1, r2"
    ),
    "multiply": "muls r1, r2, r1; mul r1, r2, r3",
    "multiply_add": "mla r1, r2, r3, r4; mls r1, r2, r3, r4",
    "multiply_dsp": (
        "smlabb r1, r2, r3, r4; smultt r1, r2, r3; smlawt r1, r2, r3, r4; smulwb r1, r2, r3;"
        "smlad r1, r2, r3, r4; smladx r1, r2, r3, r4; smuad r1, r2, r3; smlsd r1, r2, r3, r4;"
        "smusdx r1, r2, r3; smmla r1, r2, r3, r4; smmulr r1, r2, r3; smmlsr r1, r2, r3, r4;"
        "usad8 r1, r2, r3; usada8 r1, r2, r3, r4"
    ),
    "multiply_long": "smull r1, r2, r3, r4; umull r1, r2, r3, r4",
    "multiply_add_long": (
        "smlal r1, r2, r3, r4; umlal r1, r2, r3, r4; smlaltb r1, r2, r3, r4;"
        "smlald r1, r2, r3, r4; smlsldx r1, r2, r3, r4; umaal r1, r2, r3, r4"
    ),
    "divide": "sdiv r1, r2, r3; udiv r1, r2, r3",
    "load": (
        "ldr r1, [r2, r3]; ldrsb r1, [r2, r3]; ldrh r1, [r2, r3]; ldrb r1, [r2, r3];"
        "ldrsh r1, [r2, r3]; ldr r1, [r2, #4]; ldrb r1, [r2, #4]; ldrh r1, [r2, #4];"
        "ldr r1, [sp, #4]; ldr r1, 1f; ldr.w r1, [r2, #400]; ldrsb r1, [r2, #400];"
        "ldrsh r1, [r2], #-4; ldr r1, [r2, #-4]!; ldrt r1, [r2, #4]; ldr.w r1, [r2, r3, lsl #2];"
        "ldrex r1, [r2]; ldrexb r1, [r2]; ldrexh r1, [r2]; ldr pc, [r2]"
    ),
    "store": (
        "str r1, [r2, r3]; strh r1, [r2, r3]; strb r1, [r2, r3]; str r1, [r2, #4];"
        "strb r1, [r2, #4]; strh r1, [r2, #4]; str r1, [sp, #4]; str.w r1, [r2, #400];"
        "strb r1, [r2], #1; strh.w r1, [r2, r3, lsl #1]; strex r1, r2, [r3]; strexb r1, r2, [r3]"
    ),
    "load_double": "ldrd r1, r2, [r3]; ldrd r1, r2, [r3], #8; ldrd r1, r2, [r3, #-8]!",
    "store_double": "strd r1, r2, [r3]; strd r1, r2, [r3], #8; strd r1, r2, [r3, #-8]!",
    "load_multiple": "ldm r1!, {r2-r5}; ldmdb r1, {r2-r5}; ldm.w r1, {r2, r8}; pop {r1, r2};"
    "pop {r4, pc}; pop.w {r4-r8, pc}",
    "store_multiple": "stm r1!, {r2-r5}; stmdb r1!, {r2-r5}; push {r1, lr}; push.w {r4-r8, lr}",
    "branch": "b.n 1f; b.w 1f; beq.n 1f; beq.w 1f; cbz r1, 1f; cbnz r1, 1f",
    "call": "bl 1f",
    "branch_indirect": "bx lr; blx r1; mov pc, lr; add pc, r1",
    "table_branch": "tbb [r1, r2]; tbh [r1, r2, lsl #1]",
    "it": "it eq/ moveq r1, r2; ite eq/ moveq r1, r2/ movne r1, r2",
    "hint": "nop; nop.w; wfi; sev; pld [r1]; pld [r1, r2]; pli [r1]",
    "barrier": "dmb; dsb; isb; clrex",
    "system": "mrs r1, primask; msr primask, r1; cpsid i; svc #0; bkpt #1; udf #1; udf.w #1",
    "fp_move": "vmov r1, s0; vmov s0, r1; vmrs r1, fpscr; vmsr fpscr, r1",
    "fp_move_double": "vmov r1, r2, s0, s1; vmov s0, s1, r1, r2; vmov d0, r1, r2; vmov r1, r2, d0",
    "fp_alu": (
        "vadd.f32 s0, s1, s2; vsub.f32 s0, s1, s2; vmul.f32 s0, s1, s2; vnmul.f32 s0, s1, s2;"
        "vabs.f32 s0, s1; vneg.f32 s0, s1; vmov.f32 s0, s1; vmov.f32 s0, #1.0; vcmp.f32 s0, #0.0;"
        "vcvt.f32.s32 s0, s1; vcvtr.s32.f32 s0, s1; vcvtb.f32.f16 s0, s1"
    ),
    "fp_multiply_add": (
        "vmla.f32 s0, s1, s2; vmls.f32 s0, s1, s2; vnmla.f32 s0, s1, s2; vfma.f32 s0, s1, s2;"
        "vfms.f32 s0, s1, s2; vfnma.f32 s0, s1, s2; vfnms.f32 s0, s1, s2"
    ),
    "fp_divide": "vdiv.f32 s0, s1, s2; vsqrt.f32 s0, s1",
    "fp_load": "vldr s0, [r1]",
    "fp_store": "vstr s0, [r1, #-8]",
    "fp_load_double": "vldr d0, [r1]",
    "fp_store_double": "vstr d0, [r1]",
    "fp_load_multiple": "vldm r1, {s0-s3}; vldmdb r1!, {d0-d3}; vpop {s0-s3}",
    "fp_store_multiple": "vstm r1!, {s0-s3}; vpush {d8-d9}",
}

CORTEX_M55 = {
    "alu": "csel r1, r2, r3, eq; cset r1, eq; clrm {r1, r2}",
    "load": "lda r1, [r2]; ldab r1, [r2]; ldaex r1, [r2]",
    "store": "stl r1, [r2]; stlh r1, [r2]",
    "loop": "dls lr, r1; wls lr, r1, 1f; le lr, 0b; dlstp.8 lr, r1; letp lr, 0b",
    "branch_indirect": "bxns lr; blxns r1",
    "system": "sg; tt r1, r2; ttat r1, r2",
    "fp_alu": (
        "vseleq.f32 s0, s1, s2; vmaxnm.f32 s0, s1, s2; vrinta.f32 s0, s1; vcvta.s32.f32 s0, s1"
    ),
    "fp_divide": "vdiv.f64 d0, d1, d2",
    "fp_move": "vdup.8 q0, r1; vmov.8 q0[3], r1; vmov.s16 r1, q0[2]",
    "vector": (
        "vadd.i8 q0, q1, q2; vmladava.s8 r0, q1, q2; vmul.i32 q0, q1, r1; "
        "vqrdmulh.s32 q0, q1, r1; vrshl.s32 q0, r1; vmax.s8 q0, q1, q2; vctp.8 r1;"
        "vpst/ vaddt.i8 q0, q1, q2; vmov r1, r2, q0[2], q0[0];"
        "vmov.i32 q0, #0; vshr.s32 q0, q1, #3; vrmlaldavha.s32 r0, r1, q0, q1; vaddv.s32 r0, q0"
    ),
    "vector_load": (
        "vldrb.8 q0, [r1]; vldrb.s32 q0, [r1]; vldrw.32 q0, [r1], #16; vldrh.16 q0, [r1, q1];"
        "vld20.8 {q0, q1}, [r1]; vld41.32 {q0, q1, q2, q3}, [r1]"
    ),
    "vector_store": "vstrb.8 q0, [r1]; vstrb.32 q0, [r1, #4]!; vst21.8 {q0, q1}, [r1]",
}

CASES = {"cortex-m4": CORTEX_M4, "cortex-m55": CORTEX_M55}


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decoder")
    for name, data in plugin_sources().items():
        (folder / name).write_bytes(data)
    (folder / "main.c").write_text(PROGRAM)
    call(["gcc", "-std=c99", "-O1", "main.c", "thumb.c", "-o", "decoder"], "the test", folder)
    return folder / "decoder"


def decode(decoder: Path, half_words: list[tuple[int, int]]) -> list[list[str]]:
    text = "\n".join(f"{first:x} {second:x}" for first, second in half_words)
    answer = subprocess.run([str(decoder)], input=text, capture_output=True, text=True, check=True)
    return [line.split() for line in answer.stdout.splitlines()]


def assemble(instructions: list[str], core: str, folder: Path) -> list[tuple[int, int]]:
    """The two half-words of each instruction; the second of a short one is 0."""
    parts = [
        f"0: nop\ni{number}:\n{text.replace('/', chr(10))}\nnop\nnop\n.balign 4\n1: .word 0"
        for number, text in enumerate(instructions)
    ]
    source = "\n".join([".syntax unified", ".thumb", *parts, ""])
    (folder / "code.s").write_text(source)
    target = load_target(core)
    call([target.compiler, *target.flags, "-c", "code.s", "-o", "code.o"], "the test", folder)
    listing = call(["arm-none-eabi-objdump", "-d", "code.o"], "the test", folder)
    found = re.findall(r"<i\d+>:\n\s+\w+:\t(\w{4})(?: (\w{4}))? *\t", listing)
    assert len(found) == len(instructions), listing
    return [(int(first, 16), int(second or "0", 16)) for first, second in found]


@pytest.mark.parametrize(
    ("core", "kind"), [(core, kind) for core, kinds in CASES.items() for kind in kinds]
)
def test_class(decoder: Path, core: str, kind: str, tmp_path: Path) -> None:
    instructions = [text.strip() for text in CASES[core][kind].split(";")]
    words = assemble(instructions, core, tmp_path)
    found = decode(decoder, words)
    assert {i: f[0] for i, f in zip(instructions, found, strict=True)} == dict.fromkeys(
        instructions, kind
    )
    for (first, _), fields in zip(words, found, strict=True):
        assert int(fields[1]) == (4 if first >= 0xE800 else 2)


REGISTERS = {
    # instruction: words, computed, loaded, address
    "adds r1, r2, r3": (0, {1}, set(), set()),
    "add r8, r9": (0, {8}, set(), set()),
    "cmp r1, r2": (0, set(), set(), set()),
    "cmp.w r1, r2": (0, set(), set(), set()),
    "sub sp, #16": (0, {13}, set(), set()),
    "add.w r9, r2, r3": (0, {9}, set(), set()),
    "movw r9, #1000": (0, {9}, set(), set()),
    "smull r1, r9, r2, r3": (0, {1, 9}, set(), set()),
    "mla r9, r1, r2, r3": (0, {9}, set(), set()),
    "ldr r1, [r2, r3]": (0, set(), {1}, {2, 3}),
    "ldr r1, [r2, #4]": (0, set(), {1}, {2}),
    "ldr r1, [sp, #4]": (0, set(), {1}, {13}),
    "ldr r1, 1f": (0, set(), {1}, set()),
    "ldrb.w r9, [r8, r7, lsl #2]": (0, set(), {9}, {8, 7}),
    "ldrb.w r9, [r8], #1": (0, set(), {9}, {8}),
    "str r1, [r2, r3]": (0, set(), set(), {2, 3}),
    "ldrd r1, r9, [r3], #8": (2, set(), {1, 9}, {3}),
    "strd r1, r9, [r3]": (2, set(), set(), {3}),
    "ldm r1!, {r2-r5}": (4, set(), {2, 3, 4, 5}, {1}),
    "stmdb r9!, {r2, r8}": (2, set(), set(), {9}),
    "push {r1, lr}": (2, set(), set(), {13}),
    "pop {r1, pc}": (2, set(), {1, 15}, {13}),
    "vldm r1, {s0-s6}": (7, set(), set(), {1}),
    "vldm r1, {d0-d3}": (8, set(), set(), {1}),
    "vmov r1, s0": (0, {1}, set(), set()),
    "vmov r1, r9, d0": (0, {1, 9}, set(), set()),
    "tbb [r1, r2]": (0, set(), set(), {1, 2}),
    "pld [r1]": (0, set(), set(), {1}),
}


def test_registers(decoder: Path, tmp_path: Path) -> None:
    found = decode(decoder, assemble(list(REGISTERS), "cortex-m4", tmp_path))
    for (text, expected), fields in zip(REGISTERS.items(), found, strict=True):
        words = int(fields[2])
        sets = [{bit for bit in range(16) if int(f, 16) >> bit & 1} for f in fields[5:]]
        assert (words, *sets) == expected, text


JUMPS = ("b 1f", "beq 1f", "cbz r1, 1f", "bl 1f", "bx lr", "blx r1", "tbb [r1, r2]", "pop {pc}")
STAYS = ("add r1, r2", "ldr r1, [r2]", "push {lr}", "pop {r1}", "ldm r1!, {r2-r5}", "nop")


def test_jumps(decoder: Path, tmp_path: Path) -> None:
    instructions = [*JUMPS, "ldr pc, [r1]", "mov pc, lr", *STAYS]
    found = decode(decoder, assemble(instructions, "cortex-m4", tmp_path))
    jumping = {i for i, fields in zip(instructions, found, strict=True) if fields[4] == "1"}
    assert jumping == set(instructions) - set(STAYS)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_length_of_if_then(decoder: Path, length: int, tmp_path: Path) -> None:
    lines = ["i" + "t" * length + " eq", *["moveq r1, r2"] * length]
    (fields,) = decode(decoder, assemble(["/".join(lines)], "cortex-m4", tmp_path))
    assert fields[0] == "it"
    assert int(fields[3]) == length


@pytest.mark.parametrize("encoding", [(0xB800, 0), (0xF3C0, 0x8000), (0xFB91, 0x0000)])
def test_undefined_encodings_are_unknown(decoder: Path, encoding: tuple[int, int]) -> None:
    (fields,) = decode(decoder, [encoding])
    assert fields[0] == "unknown"
