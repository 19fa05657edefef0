"""Short pieces of assembly, each profiled as if it were an inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyflow.targets import FlashProfile, Target, load_target
from tinyflow.targets.profiler import Inference, profile_elf
from tinyflow.targets.tools import call

# r0 and r1 hold addresses in RAM, word-aligned; r2 is 3 and r3 is 5.
REGISTERS = """
    movs r0, #{ram}
    lsls r0, r0, #24
    movs r1, r0
    adds r0, r0, #64
    adds r1, r1, #192
    movs r2, #3
    movs r3, #5
"""

PROGRAM = """
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word {stack}, reset + 1, fault + 1, fault + 1, fault + 1, fault + 1, fault + 1
    .text
    .type tinyflow_profile_begin, %function
tinyflow_profile_begin:
    bx lr
    .size tinyflow_profile_begin, . - tinyflow_profile_begin
    .type tinyflow_profile_end, %function
tinyflow_profile_end:
    bx lr
    .size tinyflow_profile_end, . - tinyflow_profile_end
    .type fault, %function
fault:
    movs r1, #70
    b leave
    .type reset, %function
reset:
{enable_fpu}
{sequences}
    movs r1, #0
leave:
    push {{r1}}
    ldr r1, =0x20026
    push {{r1}}
    mov r1, sp
    movs r0, #0x20
    bkpt 0xab
    .ltorg
{functions}
"""

ENABLE_FPU = """
    ldr r0, =0xE000ED88
    ldr r1, =0xF << 20
    str r1, [r0]
    dsb
    isb
    b 1f
    .ltorg
1:
"""

# The call of tinyflow_profile_end() itself: it and the way there.
CLOSING_INSTRUCTIONS = 1
CLOSING_CYCLES = 2

SECONDS = 60.0


@dataclass(frozen=True)
class Piece:
    """``code`` is what is profiled; it begins on a word boundary. ``before`` runs just before
    that, ``functions`` lie elsewhere, each begun by a label."""

    code: str
    before: str = ""
    functions: str = ""


def profile_pieces(
    pieces: Sequence[Piece],
    folder: Path,
    core: str = "cortex-m4",
    flash_profile: FlashProfile | None = None,
    roots: Sequence[str] = (),
) -> tuple[Inference, ...]:
    """One inference for each piece, in order."""
    target = load_target(core)
    elf = _assemble(pieces, folder, target)
    return profile_elf(elf, target, roots, flash_profile, seconds=SECONDS)


def _assemble(pieces: Sequence[Piece], folder: Path, target: Target) -> Path:
    assert target.emulator is not None
    flash, ram = target.emulator.flash, target.emulator.ram
    registers = REGISTERS.format(ram=ram.origin >> 24)
    sequences = "\n".join(
        f"{registers}\n{piece.before}\n    .balign 4\n    bl tinyflow_profile_begin\n"
        f"{piece.code}\n    bl tinyflow_profile_end"
        for piece in pieces
    )
    source = PROGRAM.format(
        stack=ram.origin + 0x4000,
        enable_fpu=ENABLE_FPU if "-mfloat-abi=hard" in target.flags else "",
        sequences=sequences,
        functions="\n".join(piece.functions for piece in pieces),
    )
    (folder / "pieces.s").write_text(source)
    elf = folder / "pieces.elf"
    places = [f"--section-start=.vectors={flash.origin:#x}", f"-Ttext={flash.origin + 0x100:#x}"]
    command = [
        target.compiler, *target.flags, "-nostdlib", "-nostartfiles",
        *(f"-Wl,{place}" for place in places), "pieces.s", "-o", str(elf),
    ]  # fmt: skip
    call(command, "assembling the test", folder)
    return elf
