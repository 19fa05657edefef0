"""Emitted assembly on the emulator and requant_dsp.h, there and here, against the NumPy models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.support.bare_metal import run_bare_metal
from tests.support.compiled import SANITIZE, WARNINGS, call
from tests.support.paths import ROOT
from tests.support.requants import random_problem, reference, telling_accumulators
from tinyflow.codegen.c.dsp.requant import (
    GenericRequant,
    Saturation,
    ShortRequant,
    SignWay,
    arithmetic,
    emit_generic,
    emit_short,
    search,
)

_KERNELS = ROOT / "firmware" / "kernels"
_FIELDS = ("acc", "multiplier", "constant", "mirror", "left", "right")
_BLOCK = 256

_PROGRAM = """
#include "dsp/requant_dsp.h"
{includes}
typedef int32_t (*function)(const int32_t *fields, int8_t *code);
{functions}
static const function table[][2] = {{
{rows}
}};
enum {{ BLOCK = {block} }};
static int32_t fields[BLOCK][6];
static int32_t codes[BLOCK][3];

int main({arguments})
{{
    {open}
    int32_t count;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; ++i) {{
        {read_count}
        while (count > 0) {{
            const int32_t n = count < BLOCK ? count : BLOCK;
            {read_block}
            for (int32_t j = 0; j < n; ++j) {{
                int8_t stored = 77;
                codes[j][0] = table[i][0](fields[j], &stored);
                codes[j][1] = stored;
                codes[j][2] = table[i][1](fields[j], &stored);
            }}
            {write_block}
            count -= n;
        }}
    }}
    {close}
}}
"""
_BOARD = {
    "includes": '#include "platform.h"',
    "arguments": "void",
    "open": 'platform_file *in = platform_open("in.bin", PLATFORM_READ);\n'
    '    platform_file *out = platform_open("out.bin", PLATFORM_WRITE);',
    "read_count": "if (platform_read(in, &count, 4) != 4) { return 1; }",
    "read_block": "platform_read(in, fields, (size_t)n * sizeof fields[0]);",
    "write_block": "platform_write(out, codes, (size_t)n * sizeof codes[0]);",
    "close": "return platform_close(out);",
}
_HOST = {
    "includes": "#include <stdio.h>",
    "arguments": "int argc, char **argv",
    "open": 'FILE *in = fopen(argv[1], "rb");\n    FILE *out = fopen(argv[argc - 1], "wb");',
    "read_count": "if (fread(&count, 4, 1, in) != 1) { return 1; }",
    "read_block": "if (fread(fields, sizeof fields[0], (size_t)n, in) != (size_t)n) { return 1; }",
    "write_block": "fwrite(codes, sizeof codes[0], (size_t)n, out);",
    "close": "fclose(in);\n    return fclose(out);",
}


@dataclass(frozen=True, eq=False)
class Case:
    """Fields [n, 6] in the order of `_FIELDS`, and the codes [n] that belong to them."""

    requant: ShortRequant | GenericRequant
    fields: np.ndarray
    codes: np.ndarray


def short_case(requant: ShortRequant, rng: np.random.Generator, acc: np.ndarray) -> Case:
    """The model must be right for any register, proven or not."""
    wild = rng.integers(-(2**31), 2**31, (200, acc.shape[1])) >> requant.register_shift
    return case(requant, np.concatenate([acc, wild]), requant.apply_short)


def generic_case(requant: GenericRequant, acc: np.ndarray) -> Case:
    return case(requant, acc[:, requant.holds], _of_channels(requant).apply)


def _of_channels(requant: GenericRequant) -> GenericRequant:
    """Without the channels whose accumulators the register does not hold."""
    names = ("multiplier", "shift", "acc_lo", "acc_hi")
    return replace(requant, **{name: getattr(requant, name)[requant.holds] for name in names})


def case(
    requant: ShortRequant | GenericRequant,
    acc: np.ndarray,
    model: Callable[[np.ndarray], np.ndarray],
) -> Case:
    if isinstance(requant, GenericRequant):
        requant = _of_channels(requant)
    registers = arithmetic.wrap(acc << requant.register_shift)
    nothing = np.zeros(acc.shape[1], dtype=np.int64)
    tables = [
        requant.multiplier,
        getattr(requant, "constant", nothing),
        getattr(requant, "mirror", nothing),
        getattr(requant, "left", nothing),
        getattr(requant, "right", nothing),
    ]
    columns = [registers, *(np.broadcast_to(table, acc.shape) for table in tables)]
    fields = np.stack([column.ravel() for column in columns], axis=1).astype(np.int32)
    return Case(requant, fields, model(acc).ravel())


@cache
def cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(8)
    found: list[Case] = []
    for _ in range(120):
        problem = random_problem(rng)
        acc = telling_accumulators(problem, rng, 100)
        requant = search(problem)
        if isinstance(requant, ShortRequant):
            found.append(short_case(requant, rng, acc))
        if requant.generic.holds.any():
            generic = generic_case(requant.generic, acc)
            found.append(generic)
            expected = reference(problem, acc)[:, requant.generic.holds]
            np.testing.assert_array_equal(generic.codes, expected.ravel())
    return tuple(found)


def test_cases_cover_every_form() -> None:
    shorts = [c.requant for c in cases() if isinstance(c.requant, ShortRequant)]
    generics = [c.requant for c in cases() if isinstance(c.requant, GenericRequant)]
    assert {None if r.sign is None else r.sign.way for r in shorts} == {None, *SignWay}
    assert {(r.lift > 0, r.rounded) for r in shorts} == {(x, y) for x in (0, 1) for y in (0, 1)}
    ways = {r.saturation for r in (*shorts, *generics)}
    assert {(way.signed, way.upper is not None) for way in ways} == {
        (x, y) for x in (False, True) for y in (False, True)
    }
    kinds = {(r.rounding, r.wide) for r in generics}
    assert len(kinds) == 4
    assert {r.common_left is None for r in generics} == {False, True}
    assert {r.nudge_by_channel for r in generics} == {False, True}
    assert {r.register_shift for r in generics} == {0, 1, 8}


def assembly(number: int, requant: ShortRequant | GenericRequant) -> list[str]:
    """A function of fields (r0) and code (r1) that also returns the register."""
    store = "[r1]"
    if isinstance(requant, GenericRequant):
        out = "r2" if number % 2 else "r8"
        registers = {"acc": "r2", "multiplier": "r3", "left": "r6", "right": "r7"}
        body = emit_generic(requant, **registers, out=out, temporary="r9", store=store)
    else:
        out = "r2" if number % 2 and requant.sign is None else "r8"
        registers = {"acc": "r2", "multiplier": "r3", "constant": "r4", "mirror": "r5"}
        body = emit_short(requant, **registers, out=out, store=store)
    assert len(body) == requant.cycles + 1, "the cycle count is not that of the text"
    name = f"assembly_{number}"
    head = [f".global {name}", f".type {name}, %function", f"{name}:", "push {r4-r9, lr}"]
    return [*head, "ldm r0, {r2-r7}", *body, f"mov r0, {out}", "pop {r4-r9, pc}"]


def c_function(number: int, requant: ShortRequant | GenericRequant) -> str:
    way = _c_saturation(requant.saturation)
    if isinstance(requant, GenericRequant):
        by_sign = int(requant.rounding.value == "double")
        form = (
            f"{{{requant.register_shift}, {int(requant.wide)}, {by_sign}, {requant.offset}, {way}}}"
        )
        kind, arguments = "generic", "f[0], f[1], f[4], f[5]"
    else:
        sign = "NONE" if requant.sign is None else requant.sign.way.name
        bits = 0 if requant.sign is None else requant.sign.bits
        head = f"{requant.lift}, {int(requant.rounded)}, {requant.shift}"
        form = f"{{{head}, TINYFLOW_SIGN_{sign}, {bits}, {way}}}"
        kind, arguments = "short", "f[0], f[1], f[2], f[3]"
    return (
        f"static const tinyflow_{kind}_requant form_{number} = {form};\n"
        f"static int32_t c_{number}(const int32_t *f, int8_t *code)\n{{\n"
        f"    *code = 0;\n"
        f"    return tinyflow_requant_{kind}({arguments}, &form_{number});\n}}"
    )


def _c_saturation(way: Saturation) -> str:
    plain = replace(way, upper=None, base=0)
    first, second = way.offsets
    again = int(way.upper is not None)
    return f"{{{plain.lowest}, {plain.highest}, {first}, {again}, {second}}}"


def write_inputs(folder: Path) -> np.ndarray:
    """in.bin; returns the codes that all cases must give."""
    with (folder / "in.bin").open("wb") as file:
        for one in cases():
            file.write(np.int32(len(one.fields)).tobytes())
            file.write(np.ascontiguousarray(one.fields).tobytes())
    return np.concatenate([one.codes for one in cases()])


def write_program(folder: Path, words: dict[str, str], tested: str) -> Path:
    functions = [c_function(i, one.requant) for i, one in enumerate(cases())]
    if tested == "assembly":
        functions += [
            f"int32_t assembly_{i}(const int32_t *fields, int8_t *code);"
            for i in range(len(cases()))
        ]
    rows = [f"    {{{tested}_{i}, c_{i}}}," for i in range(len(cases()))]
    text = _PROGRAM.format(
        functions="\n".join(functions), rows="\n".join(rows), block=_BLOCK, **words
    )
    (folder / "main.c").write_text(text)
    return folder / "main.c"


def read_codes(folder: Path) -> np.ndarray:
    return np.fromfile(folder / "out.bin", np.int32).reshape(-1, 3)


def test_on_the_emulator(tmp_path: Path) -> None:
    lines = [".syntax unified", ".thumb", ".text"]
    for i, one in enumerate(cases()):
        lines += assembly(i, one.requant)
    (tmp_path / "cases.s").write_text("\n".join([*lines, ""]))
    program = write_program(tmp_path, _BOARD, "assembly")
    expected = write_inputs(tmp_path)
    run_bare_metal([program, tmp_path / "cases.s"], tmp_path)
    returned, stored, by_c = read_codes(tmp_path).T
    np.testing.assert_array_equal(returned, expected)
    np.testing.assert_array_equal(stored, expected.astype(np.int8))
    np.testing.assert_array_equal(by_c, expected)


def test_the_c_twin_on_this_computer(tmp_path: Path) -> None:
    program = write_program(tmp_path, _HOST, "c")
    expected = write_inputs(tmp_path)
    command = ["gcc", *WARNINGS, *SANITIZE, f"-I{_KERNELS}", "-o", tmp_path / "program", program]
    call(command)
    call([tmp_path / "program", tmp_path / "in.bin", tmp_path / "out.bin"])
    np.testing.assert_array_equal(read_codes(tmp_path)[:, 2], expected)


def test_registers_that_clash_are_refused() -> None:
    signed = next(
        c.requant
        for c in cases()
        if isinstance(c.requant, ShortRequant) and c.requant.sign is not None
    )
    with pytest.raises(ValueError, match="still needed"):
        emit_short(signed, acc="r0", multiplier="r1", constant="r2", mirror="r3", out="r0")
    generic = next(c.requant for c in cases() if isinstance(c.requant, GenericRequant))
    with pytest.raises(ValueError, match="twice"):
        emit_generic(generic, acc="r0", multiplier="r1", right="r2", out="r1", temporary="r5")
