"""Host and emulator on a bundle whose C was written by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.bundles import look_up, random_codes, tables_graph, write_tables_bundle
from tinyflow.bundle import read_bundle
from tinyflow.errors import DataError, ToolError, UsageError
from tinyflow.targets import list_targets, load_target
from tinyflow.targets.build import build_firmware, build_host
from tinyflow.targets.memory import measure_memory, section_sizes
from tinyflow.targets.runners import get_runner
from tinyflow.targets.runners.batch import run_batch
from tinyflow.targets.runners.taps import TapReader
from tinyflow.targets.tools import call

CORES = [t.name for t in list_targets() if t.machine]


@pytest.fixture
def bundle_dir(tmp_path: Path) -> Path:
    return write_tables_bundle(tmp_path / "bundle")


@pytest.mark.parametrize("on", ["host", "qemu"])
@pytest.mark.parametrize("count", [1, 500])
def test_outputs_and_taps(bundle_dir: Path, on: str, count: int) -> None:
    x = random_codes(count)
    seen: list[tuple[int, int]] = []
    bundle = read_bundle(bundle_dir)
    result = get_runner(on).run(
        bundle, {"x": x}, taps=True, progress=lambda done, total: seen.append((done, total))
    )
    expected = {"y": look_up(x), "z": look_up(look_up(x))}
    assert result.taps is not None
    assert result.outputs.keys() == result.taps.keys() == expected.keys()
    for name, array in expected.items():
        assert result.outputs[name].dtype == np.int8
        np.testing.assert_array_equal(result.outputs[name], array)
        np.testing.assert_array_equal(result.taps[name], array)
    assert seen[-1] == (count, count)
    assert seen == sorted(seen)


@pytest.mark.parametrize("name", CORES)
def test_every_core_runs_in_the_emulator(tmp_path: Path, name: str) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "bundle", name))
    x = random_codes(40)
    result = get_runner("qemu").run(bundle, {"x": x})
    np.testing.assert_array_equal(result.outputs["z"], look_up(look_up(x)))
    assert result.stack_bytes is not None
    assert 16 <= result.stack_bytes < 512


def test_the_stack_is_measured(tmp_path: Path) -> None:
    body = "volatile uint8_t deep[1000]; for (int i = 0; i < 1000; i++) { deep[i] = 1; }"
    depths = []
    for number, extra in enumerate(["", body]):
        bundle = read_bundle(write_tables_bundle(tmp_path / str(number), body=extra))
        result = get_runner("qemu").run(bundle, {"x": random_codes(1)})
        assert result.stack_bytes is not None
        depths.append(result.stack_bytes)
    assert 1000 <= depths[1] - depths[0] < 1100


def test_the_host_does_not_measure_the_stack(bundle_dir: Path) -> None:
    result = get_runner("host").run(read_bundle(bundle_dir), {"x": random_codes(1)})
    assert result.stack_bytes is None
    assert result.taps is None


def test_the_shipped_firmware_is_what_runs(bundle_dir: Path) -> None:
    elf = build_firmware(bundle_dir, load_target("cortex-m4"))
    assert elf == bundle_dir / "build" / "tables.elf"
    elf.write_bytes(b"no ELF file")
    with pytest.raises(ToolError, match="running 'tables' on qemu failed"):
        get_runner("qemu").run(read_bundle(bundle_dir), {"x": random_codes(1)})


@pytest.mark.parametrize("name", CORES)
def test_the_firmware_is_the_same_wherever_it_is_built(tmp_path: Path, name: str) -> None:
    built = [
        build_firmware(write_tables_bundle(tmp_path / place, name), load_target(name)).read_bytes()
        for place in ("here", "somewhere/else")
    ]
    assert built[0] == built[1]
    assert str(tmp_path).encode() not in built[0]


def test_the_firmware_is_linked_for_the_board_of_the_target(tmp_path: Path) -> None:
    target = load_target("nucleo-l4r5zi")
    elf = build_firmware(write_tables_bundle(tmp_path / "b", target.name), target)
    symbols = call(["arm-none-eabi-nm", str(elf)], "test", tmp_path).splitlines()
    places = {line.split()[2]: int(line.split()[0], 16) for line in symbols}
    assert places["vectors"] == 0x08000000
    assert places["__stack_top"] == 0x20000000 + 640 * 1024
    assert {"tinyflow_profile_begin", "tinyflow_profile_end", "tables_run"} <= places.keys()


def test_memory_adds_up(bundle_dir: Path) -> None:
    elf = build_firmware(bundle_dir, load_target("cortex-m4"))
    use = measure_memory(elf, weight_bytes=200, table_bytes=56, stack_bytes=100)
    sections = section_sizes(elf)
    assert use.flash_bytes == use.code_bytes + 256
    assert use.flash_bytes == sections[".text"] + sections[".constants"] + sections[".data"]
    assert use.static_bytes >= 48
    assert use.ram_bytes == use.static_bytes + 100
    assert elf.stat().st_size >= use.flash_bytes


def test_undefined_behaviour_fails_with_sanitizers(tmp_path: Path) -> None:
    body = "volatile int32_t big = INT32_MAX; big = big + net->arena[0] - net->arena[0] + 1;"
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", body=body))
    x = {"x": np.zeros_like(random_codes(1))}
    get_runner("host").run(bundle, x)
    with pytest.raises(ToolError, match="signed integer overflow"):
        get_runner("host").run(bundle, x, sanitize=True)


def test_clean_code_passes_with_sanitizers(bundle_dir: Path) -> None:
    x = random_codes(4)
    result = get_runner("host").run(read_bundle(bundle_dir), {"x": x}, sanitize=True, taps=True)
    np.testing.assert_array_equal(result.outputs["y"], look_up(x))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("cortex-m4", "*(volatile int32_t *)0xF0000000u = 1;"),
        ("cortex-m4", '__asm__ volatile("udf #0");'),
        ("cortex-m0plus", "*(volatile int32_t *)(void *)(net->arena + 1) = 1;"),
    ],
)
def test_a_fault_ends_the_run_and_says_where(tmp_path: Path, name: str, body: str) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", name, body))
    with pytest.raises(ToolError, match="exit code 70") as caught:
        get_runner("qemu").run(bundle, {"x": random_codes(1)})
    assert "fault: the core took an exception" in caught.value.message
    assert "pc        0x" in caught.value.message


@pytest.mark.parametrize("on", ["host", "qemu"])
def test_a_model_that_reports_an_error_fails(tmp_path: Path, on: str) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", body="return (tinyflow_status)1;"))
    with pytest.raises(ToolError, match="the model did not run"):
        get_runner(on).run(bundle, {"x": random_codes(1)})


def test_a_hung_program_is_stopped(tmp_path: Path) -> None:
    records = np.zeros((1, 4), dtype=np.uint8)
    with pytest.raises(ToolError, match=r"nothing came for 0\.2 seconds"):
        run_batch(["sleep", "60"], records, 4, tmp_path, "sleeping", lambda *_: None, 0.2)


def test_source_that_does_not_compile_is_shown(tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", body="this is no C;"))
    with pytest.raises(ToolError, match="building the bundle for this computer failed") as caught:
        get_runner("host").run(bundle, {"x": random_codes(1)})
    assert "src/tables.c" in caught.value.message


def test_a_firmware_that_does_not_fit_says_by_how_much(tmp_path: Path) -> None:
    bundle_dir = write_tables_bundle(tmp_path / "b", "nucleo-l4r5zi")
    header = bundle_dir / "include/tables.h"
    header.write_text(header.read_text().replace("ARENA_SIZE 48u", "ARENA_SIZE 700000u"))
    with pytest.raises(ToolError, match="does not fit the memory of nucleo-l4r5zi: RAM"):
        build_firmware(bundle_dir, load_target("nucleo-l4r5zi"))


@pytest.mark.parametrize("missing", ["gcc", "arm-none-eabi-gcc", "qemu-system-arm"])
def test_a_missing_program_is_named_with_its_package(
    tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_dir = write_tables_bundle(tmp_path / "b", body=f"/* not built before: {missing} */")
    find = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else find(name))
    with pytest.raises(ToolError, match=f"needs {missing}, which is not installed") as caught:
        get_runner("host" if missing == "gcc" else "qemu").run(
            read_bundle(bundle_dir), {"x": random_codes(1)}
        )
    assert "apt-get install" in caught.value.hint


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"x": random_codes(0)}, "no inputs"),
        ({"q": random_codes(1)}, "'q', the model has 'x'"),
        ({}, "nothing, the model has 'x'"),
        ({"x": random_codes(1).astype(np.int16)}, r"int16\[1, 3, 2, 4\]"),
        ({"x": random_codes(2)[:, :2]}, r"takes int8\[2, 3, 2, 4\]"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    bundle_dir: Path, inputs: dict[str, np.ndarray], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        get_runner("host").run(read_bundle(bundle_dir), inputs)


def test_an_unknown_runner_is_told_all_names() -> None:
    with pytest.raises(UsageError) as caught:
        get_runner("serial:/dev/ttyACM0")
    assert "host, qemu" in caught.value.hint


def test_a_host_bundle_is_not_emulated(tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", "host"))
    with pytest.raises(UsageError, match="not emulated"):
        get_runner("qemu").run(bundle, {"x": random_codes(1)})


def tap(step: int, first: int, last: int, data: bytes) -> bytes:
    return np.array([step, first, last, len(data)], "<u4").tobytes() + data


COMPLETE = tap(0, 0, 3, bytes(24)) + tap(1, 0, 3, bytes(24))


@pytest.mark.parametrize(
    ("data", "count", "says"),
    [
        (tap(0, 0, 3, bytes(24)), 1, "do not show all of 'z'"),
        (tap(0, 0, 3, bytes(24)) * 2, 1, "'y' overlap"),
        (tap(0, 2, 4, bytes(16)), 1, "'y' overlap or exceed"),
        (tap(5, 0, 1, bytes(8)), 1, "step 5"),
        (COMPLETE[:-1], 1, "broken"),
        (COMPLETE + bytes(3), 1, "within a header"),
        (COMPLETE * 2, 3, "they differ"),
        (COMPLETE + tap(1, 0, 3, bytes(24)) + tap(0, 0, 3, bytes(24)), 2, "of 'y' differ"),
    ],
)
def test_taps_that_are_not_sound_are_refused(
    tmp_path: Path, data: bytes, count: int, says: str
) -> None:
    path = tmp_path / "taps.bin"
    path.write_bytes(data)
    with pytest.raises(ToolError, match=says):
        TapReader(tables_graph(), count).read(path, 0, count)


def test_the_self_test_passes_and_can_fail(bundle_dir: Path, tmp_path: Path) -> None:
    target = load_target("host")
    program = tmp_path / "self_test"
    build_host(bundle_dir, target, program, application="self_test")
    call([str(program)], "the self-test", tmp_path)
    header = bundle_dir / "test_vectors/test_vectors.h"
    at = header.read_text().index("test_output_1[] = {")
    text = header.read_text()
    wrong = "0x00" if text[at:].split("0x", 1)[1][:2] != "00" else "0x01"
    start = text.index("0x", at)
    header.write_text(text[:start] + wrong + text[start + 4 :])
    build_host(bundle_dir, target, program, application="self_test")
    with pytest.raises(ToolError, match="self-test: FAILED"):
        call([str(program)], "the self-test", tmp_path)


@pytest.mark.parametrize("name", ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("defines", [[], ["-DTINYFLOW_VERIFY"]])
def test_the_application_compiles_without_warnings(
    tmp_path: Path, name: str, defines: list[str]
) -> None:
    target = load_target(name)
    folder = write_tables_bundle(tmp_path / "bundle", name)
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic"]
    includes = [f"-I{part}" for part in ("include", "kernels", "app", "test_vectors")]
    sources = [*folder.glob("app/*.c"), *folder.glob("board/*/*.c")]
    hosted = ("platform_host.c", "latency.c")
    sources = [s for s in sources if s.name not in hosted or target.is_host]
    assert len(sources) == 5
    flags = [*target.flags, *strict, "-Werror", *defines, *includes]
    for source in sources:
        call([target.compiler, *flags, "-c", str(source), "-o", "/dev/null"], "test", folder)
