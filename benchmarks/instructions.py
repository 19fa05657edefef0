"""Instructions of one inference on the emulated board, counted by the emulator's clock.

    python benchmarks/instructions.py BUNDLE [BUNDLE ...]

BUNDLE is a folder that `tinyflow compile --target cortex-m4` (or another emulated core) wrote.
The input is a fixed pattern. With ``-icount shift=0`` the emulator's clock advances by 1 ns per
instruction, and SysTick by one per 40 ns; the figure is exact to 80 instructions and the same in
every run. It counts up to 671 million. Compilers of other versions give other figures: a change
counts from 1% on.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tinyflow.bundle import read_bundle
from tinyflow.errors import TinyflowError
from tinyflow.targets import load_target
from tinyflow.targets.build import build_firmware

NS_PER_TICK = 40
"""SysTick of the MPS2 boards runs at 25 MHz."""

PROGRAM = """#include "model.h"
#include "platform.h"

#define SYSTICK ((volatile uint32_t *)0xE000E010) /* control, reload, current */
#define LARGEST 0xFFFFFFu

static uint8_t arena[MODEL_ARENA_SIZE] __attribute__((aligned(16)));

int main(void)
{
    model_t net;
    if (model_init(&net, arena, sizeof arena) != TINYFLOW_OK) {
        return 1;
    }
    for (size_t i = 0; i < MODEL_INPUT_COUNT; ++i) {
        uint8_t *codes = model_input(&net, i);
        for (size_t j = 0; j < model_input_bytes(i); ++j) {
            codes[j] = (uint8_t)(j * 37u);
        }
    }
    SYSTICK[1] = LARGEST;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
    const tinyflow_status status = model_run(&net);
    uint32_t ticks = (LARGEST - SYSTICK[2]) & LARGEST;
    char text[12];
    size_t at = sizeof text;
    text[--at] = '\\0';
    do {
        text[--at] = (char)('0' + (int)(ticks % 10u));
        ticks /= 10u;
    } while (ticks != 0);
    platform_print(text + at);
    return status != TINYFLOW_OK;
}
"""


def count_instructions(path: Path) -> int:
    """Instructions of one call of the bundle's run function."""
    bundle = read_bundle(path)
    target = load_target(bundle.target)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "bundle"
        shutil.copytree(path, copy)
        (copy / "app" / "instructions.c").write_text(PROGRAM)
        elf = build_firmware(
            copy,
            target,
            board=target.emulator,
            output=Path(folder) / "instructions.elf",
            application="instructions",
        )
        command = ["qemu-system-arm", "-M", str(target.machine), "-nographic", "-icount", "shift=0"]
        command += ["-monitor", "none", "-serial", "none", "-kernel", str(elf)]
        command += ["-semihosting-config", "enable=on,target=native"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return int(done.stdout + done.stderr) * NS_PER_TICK


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    for path in parser.parse_args().bundles:
        try:
            print(f"{path.name}: {count_instructions(path):,} instructions")
        except TinyflowError as error:
            print(error.render(), file=sys.stderr)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
