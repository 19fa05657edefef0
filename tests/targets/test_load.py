"""Targets as data: what loads, and what a bad file or a bad name is told."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from tinyflow.errors import UsageError
from tinyflow.targets import Region, list_targets, load_target
from tinyflow.targets.load import (
    load_boards,
    load_cores,
    load_jetsons,
    parse_board,
    parse_core,
    parse_jetson,
)
from tinyflow.targets.model import COMPILERS, System

MEMORY = {"flash": {"origin": 0, "bytes": 1024}, "ram": {"origin": 0x20000000, "bytes": 1024}}


def test_every_target_loads_under_its_name() -> None:
    names = [target.name for target in list_targets()]
    assert names[0] == "host"
    assert {"cortex-m0plus", "cortex-m4", "cortex-m55", "nucleo-l4r5zi"} <= set(names)
    assert not any(name.startswith("mps") for name in names)
    assert [load_target(name) for name in names] == list(list_targets())


def test_a_core_runs_on_its_emulated_board_and_has_no_clock() -> None:
    target = load_target("cortex-m4")
    assert target.core == "cortex-m4"
    assert target.machine == "mps2-an386"
    assert target.board == target.emulator
    assert target.clock_hz is None
    assert "-mcpu=cortex-m4" in target.flags


def test_a_board_has_memory_a_clock_and_the_emulator_of_its_core() -> None:
    target = load_target("nucleo-l4r5zi")
    assert target.board is not None
    assert target.board.ram == Region(0x20000000, 640 * 1024)
    assert target.board.flash.nbytes == 2 * 1024 * 1024
    assert target.clock_hz == 120_000_000
    assert target.machine == "mps2-an386"
    assert [board.name for board in target.boards] == ["nucleo-l4r5zi", "mps2-an386"]
    assert target.board.flash_profile is not None


@pytest.mark.parametrize(
    ("name", "core", "flash", "ram"),
    [
        ("stm32h743", "cortex-m7", 2048, 512),
        ("stm32h7a3", "cortex-m7", 2048, 1024),
        ("stm32f746", "cortex-m7", 1024, 320),
        ("nrf5340", "cortex-m33", 1024, 512),
        ("alif-e7", "cortex-m55", 5632, 4096),
        ("stm32n6570-dk", "cortex-m55", 131072, 3840),
    ],
)
def test_boards_have_the_memory_of_their_datasheets(
    name: str, core: str, flash: int, ram: int
) -> None:
    target = load_target(name)
    assert target.board is not None and target.emulator is not None
    assert target.core == core
    assert (target.board.flash.nbytes, target.board.ram.nbytes) == (flash * 1024, ram * 1024)
    assert target.machine == load_target(core).machine
    assert target.emulator.ram.nbytes >= target.board.ram.nbytes


def test_constants_lie_in_flash_where_nothing_else_is_said() -> None:
    boards = load_boards()
    assert boards["stm32h743"].storage == boards["stm32h743"].flash
    assert boards["mps3-an547"].storage.origin == 0x60000000
    assert boards["mps3-an547"].stored_bytes == (64 << 20) + (512 << 10)


def test_the_host_has_no_board() -> None:
    assert load_target("host").is_host
    assert load_target("host").boards == ()


def test_every_core_that_is_not_the_host_has_an_emulator_that_exists() -> None:
    for name, core in load_cores().items():
        if COMPILERS[core.compiler] is System.BARE_METAL:
            assert load_boards()[str(core.emulator)].machine and core.processor is None
        else:
            assert core.emulator is None
            assert (core.processor is None) == (name == "host")


def test_a_jetson_is_its_cores_under_linux() -> None:
    target = load_target("jetson-nano")
    assert target.jetson == load_jetsons()["jetson-nano"]
    assert (target.core, target.system) == ("cortex-a57", System.LINUX)
    assert (target.flags, target.features) == (("-mcpu=cortex-a57",), ("neon",))
    assert (target.board, target.boards, target.machine) == (None, (), None)
    assert (target.clock_hz, target.ram_bytes) == (1_428_000_000, 4 << 30)
    assert target.emulated_by == "cortex-a57"
    assert not target.is_host
    assert load_target("jetson-orin-nano").features == ("neon", "dotprod")


def test_a_core_is_emulated_in_the_way_of_its_system() -> None:
    table = {"title": "x", "compiler": "aarch64-linux-gnu-gcc", "flags": []}
    assert parse_core("x", {**table, "processor": "cortex-a57"}).processor == "cortex-a57"
    with pytest.raises(UsageError, match="has the key 'emulator'") as caught:
        parse_core("x", {**table, "emulator": "mps2-an386"})
    assert caught.value.hint == "'emulator' belongs to bare metal"


def test_an_unknown_target_is_told_all_names() -> None:
    with pytest.raises(UsageError) as caught:
        load_target("esp32")
    assert "'esp32'" in caught.value.message
    for target in list_targets():
        assert target.name in caught.value.hint


def test_targets_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        load_target("host").name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"title": "x", "core": "cortex-m9", "memory": MEMORY}, "the core 'cortex-m9'"),
        ({"title": "x", "core": "cortex-m4", "memory": MEMORY, "colour": 1}, "key 'colour'"),
        ({"title": "x", "core": "cortex-m4"}, "lacks the key 'memory'"),
        ({"title": "x", "core": "cortex-m4", "memory": {}}, "lacks the key 'flash'"),
        ({"title": "x", "core": "cortex-m4", "memory": MEMORY, "clock_hz": 0}, "clock of 0 Hz"),
        (
            {
                "title": "x",
                "core": "cortex-m4",
                "memory": {**MEMORY, "ram": {"origin": 0, "bytes": 0}},
            },
            "0 bytes",
        ),
        (
            {
                "title": "x",
                "core": "cortex-m4",
                "memory": MEMORY,
                "flash_profile": {
                    "data_load_cycles": 1.0,
                    "miss_cycles": 1.0,
                    "cache_bytes": 100,
                    "line_bytes": 32,
                    "calibration": "none",
                },
            },
            "100 bytes in lines of 32",
        ),
    ],
)
def test_a_bad_board_is_told_what_is_wrong(table: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_board("odd", table)


def test_a_bad_core_is_told_the_compilers() -> None:
    with pytest.raises(UsageError) as caught:
        parse_core("odd", {"title": "x", "compiler": "tcc", "flags": []})
    assert "arm-none-eabi-gcc" in caught.value.hint


def test_jetsons_are_described() -> None:
    jetsons = load_jetsons()
    assert list(jetsons) == [
        "jetson-agx-orin",
        "jetson-nano",
        "jetson-orin-nano",
        "jetson-xavier-nx",
    ]
    nano = jetsons["jetson-nano"]
    assert (nano.gpu.sm, nano.jetpack.cuda, nano.jetpack.cxx_standard) == (53, "10.2", 14)
    assert "int8" not in nano.gpu.precisions
    assert "dot product" in nano.gpu.advice
    assert {j.gpu.sm for j in jetsons.values()} == {53, 72, 87}


def test_a_bad_jetson_is_told_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="the GPU of the board 'x' lacks the key 'bandwidth'"):
        parse_jetson("x", {**_JETSON, "gpu": {**_GPU_WITHOUT_BANDWIDTH}})
    with pytest.raises(UsageError, match="unknown key 'colour'"):
        parse_jetson("x", {**_JETSON, "colour": "green"})
    with pytest.raises(UsageError, match="the core 'cortex-a9'"):
        parse_jetson("x", {**_JETSON, "core": "cortex-a9"})


_GPU_WITHOUT_BANDWIDTH = {
    "title": "small",
    "sm": 53,
    "multiprocessors": 1,
    "clock_hz": 1,
    "fp16_flops": 1.0,
    "shared_bytes": 1,
    "precisions": ["fp16"],
}
_JETSON = {
    "title": "small",
    "core": "cortex-a57",
    "cores": 1,
    "clock_hz": 1,
    "memory_bytes": 1,
    "gpu": {**_GPU_WITHOUT_BANDWIDTH, "bandwidth": 1.0},
    "jetpack": {
        "version": "4.6",
        "cuda": "10.2",
        "cxx_standard": 14,
        "tensorrt": "8.2",
        "cmake": "3.10",
    },
}
