"""What the profiler counts beside cycles: functions, loads from flash, the instruction cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sequences import (
    CLOSING_CYCLES,
    CLOSING_INSTRUCTIONS,
    Piece,
    profile_pieces,
)
from tinyflow.errors import ToolError, UsageError
from tinyflow.targets import FlashProfile
from tinyflow.targets.profiler import Counts, Unknown, load_timing, plugin
from tinyflow.targets.profiler.counts import parse_result
from tinyflow.targets.profiler.plugin import build_plugin, plugin_api
from tinyflow.targets.profiler.symbols import Symbol, function_ranges
from tinyflow.targets.profiler.timing import parse_timing

CACHE = FlashProfile(3.0, 29.0, cache_bytes=1024, line_bytes=32, calibration="a test")

LAYERS = """
    .balign 4
    .type layer_a, %function
layer_a:
    push {r4, lr}
    bl shared
    pop {r4, pc}
    .size layer_a, . - layer_a

    .balign 4
    .type layer_b, %function
layer_b:
    push {r4, lr}
    bl shared
    bl shared
    pop {r4, pc}
    .size layer_b, . - layer_b

    .balign 4
    .type shared, %function
shared:
    adds r2, r2, r3
    bx lr
    .size shared, . - shared
"""


def loop_over(nbytes: int, turns: int) -> str:
    """A loop of ``nbytes`` of code."""
    fill = "nop\n" * (nbytes // 2 - 4)
    enter = f".balign 32\n movs r4, #{turns}\n b.w 1f\n .balign 32\n"
    return f"{enter} 1:\n{fill} subs r4, r4, #1\n bne.w 1b\n nop"


def test_long_straight_code_is_one_sequence(tmp_path: Path) -> None:
    """The emulator cuts it at pages and after so many instructions; loads stay pipelined."""
    piece = Piece("ldr r4, [r0]\n" * 3000)
    (found,) = profile_pieces([piece], tmp_path)
    assert found.total.instructions == 3000 + CLOSING_INSTRUCTIONS
    assert found.total.cycles == 3001 + CLOSING_CYCLES


def test_every_turn_of_a_loop_counts(tmp_path: Path) -> None:
    (found,) = profile_pieces([Piece("ldr r4, =100000\n 1: subs r4, r4, #1\n bne 1b")], tmp_path)
    assert found.total.instructions == 1 + 200_000 + CLOSING_INSTRUCTIONS
    # The last branch is not taken; the call that ends the inference is.
    assert found.total.taken_branches == 99_999 + 1
    assert found.total.cycles == 2 + 200_000 + 99_999 + CLOSING_CYCLES


def test_root_functions_collect_what_they_call(tmp_path: Path) -> None:
    piece = Piece("bl layer_a\n bl layer_b\n", functions=LAYERS)
    (found,) = profile_pieces([piece], tmp_path, roots=["reset", "layer_a", "layer_b"])
    instructions = {name: counts.instructions for name, counts in found.by_root.items()}
    assert instructions == {"reset": 3, "layer_a": 3 + 2, "layer_b": 4 + 2 * 2}
    instructions = {name: counts.instructions for name, counts in found.by_function.items()}
    assert instructions == {"reset": 3, "layer_a": 3, "layer_b": 4, "shared": 6}
    # push 3, bl 2, add 1, bx 3, pop 3 + 2: a branch is charged to the function that it leaves.
    assert found.by_root["layer_a"].cycles == 14
    # The second call is a wide instruction off a word boundary, and the first returns to it.
    assert found.by_root["layer_b"].cycles == 14 + 6 + 1
    assert found.table["layer_b", "shared"] == Counts(4, 9, 2)
    assert found.total == sum(found.by_root.values(), Counts())


def test_inferences_are_counted_apart(tmp_path: Path) -> None:
    first, second = profile_pieces([Piece("nop\n" * 7), Piece("nop\n" * 5)], tmp_path)
    assert first.total.instructions == 7 + CLOSING_INSTRUCTIONS
    assert second.total.instructions == 5 + CLOSING_INSTRUCTIONS


def test_loads_from_flash(tmp_path: Path) -> None:
    """A word, a byte, two words and three; stores and loads from RAM do not count."""
    code = """
        ldr r4, table
        ldrb r5, [r6]
        ldrd r4, r5, [r6]
        ldm r6, {r4, r5, r7}
        ldr r4, [r0]
        str r4, [r0]
        b 1f
        .balign 4
    table:
        .word 1, 2, 3
    1:
    """
    (found,) = profile_pieces([Piece(code, before="adr r6, table")], tmp_path)
    assert found.total.flash_loads == 1 + 1 + 2 + 3


def test_conditional_load_from_flash_counts_where_it_takes_place(tmp_path: Path) -> None:
    code = "cmp r2, r2\n it {0}\n ldr{0} r4, [r6]\n b 1f\n .balign 4\n 2: .word 1\n 1:"
    pieces = [Piece(code.format(condition), "adr r6, 2f") for condition in ("eq", "ne")]
    done, left = profile_pieces(pieces, tmp_path)
    assert done.total.flash_loads == 1
    assert left.total.flash_loads == 0


def test_a_loop_that_fits_the_cache_misses_once(tmp_path: Path) -> None:
    (found,) = profile_pieces([Piece(loop_over(768, 10))], tmp_path, flash_profile=CACHE)
    around = found.total.cache_misses - 768 // 32
    assert 1 <= around <= 3, "only the lines before and after the loop"


def test_a_loop_larger_than_the_cache_always_misses(tmp_path: Path) -> None:
    """The line that is needed next is the one that was thrown out longest ago."""
    (found,) = profile_pieces([Piece(loop_over(1088, 10))], tmp_path, flash_profile=CACHE)
    around = found.total.cache_misses - 10 * 1088 // 32
    assert 1 <= around <= 3


def test_an_inference_starts_with_an_empty_cache(tmp_path: Path) -> None:
    piece = Piece("bl shared\n", functions=LAYERS)
    found = profile_pieces([piece, Piece(piece.code)], tmp_path, flash_profile=CACHE)
    shared = [inference.by_function["shared"].cache_misses for inference in found]
    assert shared == [1, 1]


def test_no_cache_without_a_profile(tmp_path: Path) -> None:
    (found,) = profile_pieces([Piece("nop\n" * 100)], tmp_path)
    assert found.total.cache_misses == 0


def test_the_same_figures_every_time(tmp_path: Path) -> None:
    pieces = [Piece(loop_over(1088, 7), functions=LAYERS), Piece("bl layer_b\n ldr r4, [r0, #1]")]
    runs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        runs.append(profile_pieces(pieces, tmp_path / name, flash_profile=CACHE))
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", 1),
        ("QEMU emulator version 8.2.0", 1),
        ("QEMU emulator version 9.0.4", 2),
        ("QEMU emulator version 9.1.0", 3),
        ("QEMU emulator version 10.0.2", 3),
    ],
)
def test_interface_of_each_emulator(version: str, api: int) -> None:
    assert plugin_api(version) == api


def test_strange_version_is_an_error() -> None:
    with pytest.raises(ToolError, match="does not tell the version"):
        plugin_api("something else")


def test_plugin_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = build_plugin()
    assert built.parent == tmp_path / "tinyflow"
    assert [path.name for path in built.parent.iterdir()] == [built.name]
    before = built.stat().st_mtime_ns
    assert build_plugin() == built
    assert built.stat().st_mtime_ns == before


def test_plugin_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that cannot be written does not keep anyone from profiling."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    built = build_plugin()
    assert built.is_file()
    assert not built.is_relative_to(tmp_path)


@pytest.mark.parametrize("missing", ["gcc", "qemu-system-arm"])
def test_missing_tool_is_a_sentence(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyflow.targets import tools

    which = tools.shutil.which
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools.shutil, "which", lambda n: None if n == missing else which(n))
    with pytest.raises(ToolError, match=f"needs {missing}, which is not installed") as caught:
        build_plugin()
    assert "apt-get install" in caught.value.hint


@pytest.mark.parametrize("api", [1, 2, 3])
def test_plugin_compiles_for_every_interface(api: int, tmp_path: Path) -> None:
    flags = (*plugin.FLAGS, "-Werror", f"-DTINYFLOW_PLUGIN_API={api}")
    for name, data in plugin.plugin_sources().items():
        (tmp_path / name).write_bytes(data)
    units = [path.name for path in tmp_path.glob("*.c")]
    plugin.call(["gcc", *flags, *units, "-o", "plugin.so"], "the test", tmp_path)


def test_ranges_of_functions() -> None:
    symbols = [
        Symbol("unsized", 0x20, 0),
        Symbol("first", 0x10, 8),
        Symbol("alias", 0x10, 4),
        Symbol("too_long", 0x30, 0x100),
        Symbol("last", 0x40, 4),
    ]
    assert function_ranges(symbols) == (
        Symbol("first", 0x10, 8),
        Symbol("unsized", 0x20, 0x10),
        Symbol("too_long", 0x30, 0x10),
        Symbol("last", 0x40, 4),
    )


def test_program_that_fails(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"profiling 'pieces\.elf' failed with 70"):
        profile_pieces([Piece("udf #0")], tmp_path)


def test_program_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.sequences.SECONDS", 0.5)
    with pytest.raises(ToolError, match=r"did not end within 0\.5 seconds"):
        profile_pieces([Piece("1: b 1b")], tmp_path)


def test_result_names_functions_and_unknown_instructions() -> None:
    text = "inference\ncount 1 -1 5 6 0 0 0\nunknown 0x100 0xb8000000 3\ndone\n"
    (found,) = parse_result(text, ["f", "g"])
    assert found.table == {("g", ""): Counts(5, 6)}
    assert found.unknown == (Unknown(0x100, 0xB800_0000, 3),)


def test_broken_off_result() -> None:
    with pytest.raises(ToolError, match="no complete inference"):
        parse_result("inference\ncount 0 0 1 1 0 0 0\n", ["f"])
    with pytest.raises(ToolError, match="no complete inference"):
        parse_result("", [])


def test_core_without_a_model() -> None:
    with pytest.raises(UsageError, match="no core model for 'host'"):
        load_timing("host")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"base": "cortex-m4", "cost": {}}, "unknown key 'cost'"),
        ({"base": "cortex-m4", "calibrated": True}, "lacks the key 'calibration'"),
        (
            {"base": "cortex-m4", "calibrated": True, "calibration": "", "cycles": {"ad": 1}},
            "unknown entry 'ad'",
        ),
        (
            {
                "base": "cortex-m4",
                "calibrated": True,
                "calibration": "",
                "rules": {"per_word": 1.5},
            },
            "1.5 cycles for 'per_word'",
        ),
    ],
)
def test_wrong_core_model(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_timing("mine", table)
