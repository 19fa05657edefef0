"""The bundle's own CMakeLists.txt builds what TinyFlow builds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.bundles import look_up, random_codes, write_tables_bundle
from tinyflow.bundle import read_bundle
from tinyflow.targets import load_target
from tinyflow.targets.build import build_firmware
from tinyflow.targets.runners import get_runner
from tinyflow.targets.tools import call

pytestmark = pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")


def build(bundle: Path, folder: str, *options: str) -> Path:
    call(["cmake", "-B", folder, *options], "configuring", bundle)
    call(["cmake", "--build", folder], "building", bundle)
    return bundle / folder


def test_host(tmp_path: Path) -> None:
    bundle = write_tables_bundle(tmp_path / "bundle")
    folder = build(bundle, "build")
    call([str(folder / "tables_self_test")], "the self-test", tmp_path)
    x = random_codes(5)
    x.tofile(tmp_path / "inputs.bin")
    call([str(folder / "tables")], "the harness", tmp_path)
    y = look_up(x).reshape(5, -1)
    expected = b"".join(a.tobytes() + look_up(a).tobytes() for a in y)
    assert (tmp_path / "outputs.bin").read_bytes() == expected


def test_host_with_sanitizers_and_taps(tmp_path: Path) -> None:
    bundle = write_tables_bundle(tmp_path / "bundle")
    folder = build(bundle, "build", "-DTINYFLOW_VERIFY=ON", "-DTINYFLOW_SANITIZE=ON")
    random_codes(1).tofile(tmp_path / "inputs.bin")
    call([str(folder / "tables")], "the harness", tmp_path)
    assert (tmp_path / "taps.bin").stat().st_size == 2 * 3 * (16 + 8)


@pytest.mark.parametrize("name", ["cortex-m4", "nucleo-l4r5zi", "cortex-m55"])
def test_firmware(tmp_path: Path, name: str) -> None:
    target = load_target(name)
    bundle = write_tables_bundle(tmp_path / "bundle", name)
    assert target.board is not None
    toolchain = f"board/{target.board.name}/toolchain.cmake"
    assert f"-DCMAKE_TOOLCHAIN_FILE={toolchain}" in (bundle / "CMakeLists.txt").read_text()
    folder = build(bundle, "build-firmware", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
    assert (folder / "tables_self_test.elf").is_file()
    ours = build_firmware(bundle, target)
    by_cmake = (folder / "tables.elf").read_bytes()
    assert str(tmp_path).encode() not in by_cmake
    assert len(by_cmake) == pytest.approx(ours.stat().st_size, rel=0.1)
    ours.write_bytes(by_cmake)
    x = random_codes(3)
    result = get_runner("qemu").run(read_bundle(bundle), {"x": x})
    assert (result.outputs["y"] == look_up(x)).all()
