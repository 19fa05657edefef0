"""Instructions of one inference on 64-bit Arm, with portable kernels and with those for vectors.

    python -m benchmarks.vectors BUNDLE [BUNDLE ...]

BUNDLE is a folder that `tinyflow compile` wrote, for any target: its quantized graph is compiled
again, for cores without and with dot products. A plugin of qemu-aarch64 counts; the figure is the
difference between runs of three inputs and of one, halved. Compilers of other versions give other
figures: a change counts from 1% on. Instructions are no time: those of vectors take longer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tinyflow.bundle import read_bundle, write_files
from tinyflow.codegen.c import CodegenOptions, features_of, generate, plan_model
from tinyflow.codegen.c.sources import Feature
from tinyflow.errors import TinyflowError
from tinyflow.ir import Graph
from tinyflow.targets import load_target
from tinyflow.targets.app import app_files
from tinyflow.targets.build import build_firmware
from tinyflow.targets.profiler.plugin import plugin_api, plugin_sources
from tinyflow.targets.runners.qemu import emulator_command
from tinyflow.targets.tools import call

COUNTER = """#include "qemu_plugin_api.h"

#include <stdio.h>

PLUGIN_EXPORT int qemu_plugin_version = TINYFLOW_PLUGIN_API;

typedef void (*exit_callback)(qemu_plugin_id_t id, void *user);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, exit_callback callback, void *user);

static uint64_t instructions;

static void on_execute(unsigned int cpu, void *user)
{
    (void)cpu;
    instructions += (size_t)user;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    void *count = (void *)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_execute, QEMU_PLUGIN_CB_NO_REGS, count);
}

static void on_exit(qemu_plugin_id_t id, void *user)
{
    (void)id;
    (void)user;
    FILE *file = fopen("instructions.txt", "w");
    fprintf(file, "%llu", (unsigned long long)instructions);
    fclose(file);
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                                      int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, on_exit, NULL);
    return 0;
}
"""

WAYS = (
    ("portable", "cortex-a57", frozenset[Feature]()),
    ("NEON", "cortex-a57", features_of(load_target("cortex-a57"))),
    ("dot products", "cortex-a78", features_of(load_target("cortex-a78"))),
)


def build_counter(folder: Path) -> Path:
    """The plugin that counts."""
    api = plugin_api(call(["qemu-aarch64", "--version"], "counting", folder).splitlines()[0])
    (folder / "qemu_plugin_api.h").write_bytes(plugin_sources()["qemu_plugin_api.h"])
    (folder / "counter.c").write_text(COUNTER)
    flags = ["-std=c99", "-O2", "-shared", "-fPIC", f"-DTINYFLOW_PLUGIN_API={api}"]
    call(["gcc", *flags, "counter.c", "-o", "counter.so"], "building the counter", folder)
    return folder / "counter.so"


def count_instructions(
    graph: Graph, core: str, features: frozenset[Feature], folder: Path, counter: Path
) -> int:
    """Of one inference."""
    target = load_target(core)
    plan = plan_model(graph, features)
    sources = generate(plan.schedule, "net", CodegenOptions(), choices=plan.choices)
    write_files(folder, {**sources.files, **app_files("net", plan.schedule.graph, target)})
    command = emulator_command(target, build_firmware(folder, target))
    command[1:1] = ["-plugin", str(counter)]
    nbytes = sum(graph.tensors[name].nbytes for name in graph.inputs)
    codes = np.random.default_rng(0).integers(0, 256, 3 * nbytes, dtype=np.uint8)
    counts = []
    for inferences in (1, 3):
        codes[: inferences * nbytes].tofile(folder / "inputs.bin")
        subprocess.run(command, cwd=folder, check=True, timeout=600)
        counts.append(int((folder / "instructions.txt").read_text()))
    return (counts[1] - counts[0]) // 2


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    for path in parser.parse_args().bundles:
        try:
            graph = read_bundle(path).graph
            macs = sum(graph.macs(node) for node in graph.nodes)
            print(f"{path.name}: {macs / 1e6:.1f} million multiplications")
            for name, core, features in WAYS:
                with tempfile.TemporaryDirectory() as folder:
                    counter = build_counter(Path(folder))
                    place = Path(folder) / "bundle"
                    count = count_instructions(graph, core, features, place, counter)
                print(f"  {name:12}  {core}  {count:14,} instructions  {count / macs:6.2f} each")
        except TinyflowError as error:
            print(error.render(), file=sys.stderr)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
