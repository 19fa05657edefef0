"""Programs for 64-bit Arm Linux: built, emulated, and by the bundle's own CMakeLists.txt."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import look_up, random_codes, write_tables_bundle
from tests.support.linux_arm import LINUX_CORES, needs_linux_arm
from tinyflow.bundle import read_bundle
from tinyflow.errors import UsageError
from tinyflow.targets import load_target
from tinyflow.targets.build import build_firmware
from tinyflow.targets.runners import get_runner
from tinyflow.targets.runners.qemu import emulated_target
from tinyflow.targets.tools import call

pytestmark = needs_linux_arm


@pytest.mark.parametrize("name", [*LINUX_CORES, "jetson-nano"])
def test_outputs_and_taps_in_the_emulator(tmp_path: Path, name: str) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "bundle", name))
    x = random_codes(40)
    result = get_runner("qemu").run(bundle, {"x": x}, taps=True)
    expected = {"y": look_up(x), "z": look_up(look_up(x))}
    assert result.taps is not None and result.taps.keys() == expected.keys()
    for tensor, array in expected.items():
        np.testing.assert_array_equal(result.outputs[tensor], array)
        np.testing.assert_array_equal(result.taps[tensor], array)
    assert result.stack_bytes is None


def test_the_program_is_the_same_wherever_it_is_built_and_needs_no_library(tmp_path: Path) -> None:
    target = load_target("jetson-nano")
    built = [
        build_firmware(write_tables_bundle(tmp_path / place, target.name), target)
        for place in ("here", "somewhere/else")
    ]
    assert built[0] == tmp_path / "here" / "build" / "tables.elf"
    first, second = (elf.read_bytes() for elf in built)
    assert first == second
    assert str(tmp_path).encode() not in first
    headers = call(["aarch64-linux-gnu-readelf", "-l", str(built[0])], "test", tmp_path)
    assert "INTERP" not in headers


def test_the_host_runs_the_same_bundle(tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "bundle", "jetson-nano"))
    x = random_codes(4)
    result = get_runner("host").run(bundle, {"x": x}, sanitize=True)
    np.testing.assert_array_equal(result.outputs["y"], look_up(x))


def test_cycles_are_not_counted(tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "bundle", "jetson-nano"))
    with pytest.raises(UsageError, match="whose emulation counts no cycles"):
        emulated_target(bundle)


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_builds_it_on_another_computer(tmp_path: Path) -> None:
    bundle = write_tables_bundle(tmp_path / "bundle", "jetson-nano")
    lists = (bundle / "CMakeLists.txt").read_text()
    assert "cmake_minimum_required(VERSION 3.10)" in lists
    assert "-mcpu=cortex-a57" in lists and "@" not in lists
    toolchain = "board/linux/toolchain.cmake"
    assert f"-DCMAKE_TOOLCHAIN_FILE={toolchain}" in lists
    configure = ["cmake", "-B", "build-arm", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}"]
    call(configure, "configuring", bundle)
    call(["cmake", "--build", "build-arm"], "building", bundle)
    program = str(bundle / "build-arm" / "tables_self_test")
    call(["qemu-aarch64", "-cpu", "cortex-a57", program], "the self-test", tmp_path)
