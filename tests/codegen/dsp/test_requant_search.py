"""Short requantizations equal the integer reference wherever they are said to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.requants import random_problem, reference, telling_accumulators
from tinyflow.codegen.c.dsp.requant import (
    Problem,
    ShortRequant,
    SignWay,
    arithmetic,
    find_requant,
    search,
)
from tinyflow.codegen.c.dsp.requant.saturation import complete_saturation, saturations
from tinyflow.ir import Rounding
from tinyflow.ir.integer import AccumulateForm
from tinyflow.quantize.fixed_point import requantize


def layer(
    shifts: list[int], zero: int, reach: int = 2**20, register_shift: int = 8, seed: int = 1
) -> Problem:
    """Double rounding, all int8 codes, random multipliers."""
    rng = np.random.default_rng(seed)
    multiplier = rng.integers(2**30, 2**31, len(shifts))
    ends = np.full(len(shifts), reach, dtype=np.int64)
    rounding = Rounding.DOUBLE
    shift = np.array(shifts)
    return Problem(multiplier, shift, rounding, zero, -128, 127, -ends, ends, register_shift)


def assert_equal_everywhere(problem: Problem) -> ShortRequant:
    """Over every accumulator of the range."""
    found = search(problem)
    assert isinstance(found, ShortRequant)
    for start in range(int(problem.acc_lo.min()), int(problem.acc_hi.max()) + 1, 1 << 18):
        acc = np.arange(start, min(start + (1 << 18), int(problem.acc_hi.max()) + 1))[:, None]
        acc = np.clip(acc, problem.acc_lo, problem.acc_hi)
        np.testing.assert_array_equal(found.apply(acc), reference(problem, acc))
    return found


@pytest.mark.parametrize("rounding", Rounding)
def test_contract_is_that_of_the_reference(rounding: Rounding) -> None:
    rng = np.random.default_rng(2)
    shift = rng.integers(-31, 31, 20000)
    bound = (np.int64(1) << (31 - np.maximum(shift, 0))) - 1
    x = rng.integers(-bound, bound + 1)
    x[:3000] = np.clip(rng.integers(-300, 300, 3000), -bound[:3000], bound[:3000])
    multiplier = rng.integers(2**30, 2**31, 20000)
    expected = requantize(x, multiplier, shift, rounding)
    actual = arithmetic.requantize(x, multiplier, shift, rounding)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("shift", [-1, -4, -8, -11])
def test_relu_takes_two_instructions(shift: int) -> None:
    found = assert_equal_everywhere(layer([shift] * 3, zero=-128, reach=2**19))
    assert (found.sign, found.cycles, found.short.all()) == (None, 2, True)
    assert found.common_constant is not None


def test_other_zero_points_take_the_sign() -> None:
    found = assert_equal_everywhere(layer([-8] * 6, zero=5, reach=2**18))
    assert found.sign is not None
    assert found.sign.way is SignWay.SPLIT
    assert (found.cycles, found.short.all()) == (4, True)


def test_mixed_shifts_take_a_mirrored_constant() -> None:
    found = assert_equal_everywhere(layer([-8, -9, -10, -9, -9, -8], zero=5, reach=2**18))
    assert found.sign is not None
    assert found.sign.way is SignWay.MIRROR
    assert (found.cycles, found.short.all()) == (4, True)
    assert found.common_constant is not None


def test_doubled_accumulators_take_one_step() -> None:
    found = assert_equal_everywhere(layer([-8] * 6, zero=5, reach=2**18, register_shift=1))
    assert found.sign is not None
    assert (found.sign.way, found.rounded, found.cycles) == (SignWay.STEP, True, 3)


def test_plain_accumulators_are_lifted() -> None:
    found = assert_equal_everywhere(layer([-8] * 6, zero=-128, reach=2**18, register_shift=0))
    assert (found.lift > 0, found.cycles, found.short.all()) == (True, 3, True)


def test_single_rounding_needs_no_sign() -> None:
    problem = replace(layer([-8, -9, -7], zero=5, reach=2**18), rounding=Rounding.SINGLE)
    found = assert_equal_everywhere(problem)
    assert (found.sign, found.cycles, found.short.all()) == (None, 2, True)


def test_clamps_cost_nothing_out_of_reach() -> None:
    """The upper bound cannot be passed from these accumulators, the lower one is the type's."""
    free = replace(layer([-8] * 2, zero=-128, reach=2**14), hi=60)
    bound = replace(layer([-8] * 2, zero=-128, reach=2**18), hi=60)
    assert assert_equal_everywhere(free).cycles == 2
    assert assert_equal_everywhere(bound).cycles > 2


def test_registers_that_cannot_hold_the_sum_are_refused() -> None:
    problem = layer([-16, -8], zero=-128)
    problem = replace(problem, acc_hi=np.array([2**23, 2**18]))
    found = search(problem)
    assert found.short.tolist() == [False, True]
    assert found.generic.holds.tolist() == [False, True]


def test_a_channel_of_one_code_is_always_short() -> None:
    """Even where its sums leave the register: it is not multiplied."""
    problem = layer([-9, -9], zero=-128, reach=2**18)
    dead = replace(
        problem, acc_lo=np.array([-(2**30), -(2**18)]), acc_hi=np.array([-(2**29), 2**18])
    )
    found = search(dead)
    assert isinstance(found, ShortRequant)
    assert found.short.all()
    assert found.multiplier[0] == 0
    rng = np.random.default_rng(3)
    acc = telling_accumulators(dead, rng, 500)
    np.testing.assert_array_equal(found.apply(acc), reference(dead, acc))


def test_a_wrong_constant_is_found_out() -> None:
    """The thresholds decide: one unit more or less must fail for some channel."""
    problem = layer([-8] * 8, zero=-128, reach=2**17)
    found = search(problem)
    assert isinstance(found, ShortRequant)
    acc = telling_accumulators(problem, np.random.default_rng(4), 0)
    expected = reference(problem, acc)
    np.testing.assert_array_equal(found.apply(acc), expected)
    for change in (-64, 64):
        wrong = replace(found, constant=(found.constant + change).astype(np.int32))
        assert (wrong.apply(acc) != expected).any(axis=0).all()
    wrong = replace(found, multiplier=(found.multiplier + 2**18).astype(np.int32))
    assert (wrong.apply(acc) != expected).any()


def test_uniform_takes_all_or_nothing() -> None:
    problem = layer([-8] * 7 + [-16], zero=-128)
    problem = replace(problem, acc_hi=np.array([2**18] * 7 + [2**23]))
    assert search(problem).short.sum() == 7
    assert search(problem, uniform=True).short.sum() == 0


def test_random_problems() -> None:
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(250):
        problem = random_problem(rng)
        found = search(problem)
        acc = telling_accumulators(problem, rng, 300)
        expected = reference(problem, acc)
        usable = found.short | found.generic.holds
        np.testing.assert_array_equal(found.apply(acc)[:, usable], expected[:, usable])
        holds = found.generic.holds
        np.testing.assert_array_equal(found.generic.apply(acc)[:, holds], expected[:, holds])
        seen.add(getattr(getattr(found, "sign", None), "way", None))
    assert seen == {None, *SignWay}


@pytest.mark.slow
def test_random_ranges_exhaustively() -> None:
    rng = np.random.default_rng(6)
    for _ in range(60):
        problem = random_problem(rng)
        middle = (problem.acc_lo + problem.acc_hi) // 2
        width = np.minimum(problem.acc_hi - middle, 2**17)
        problem = replace(problem, acc_lo=middle - np.minimum(width, middle - problem.acc_lo))
        problem = replace(problem, acc_hi=middle + width)
        found = search(problem)
        acc = problem.acc_lo + np.arange(2**18 + 1)[:, None]
        acc = np.minimum(acc, problem.acc_hi)
        usable = found.short | found.generic.holds
        expected = reference(problem, acc)
        np.testing.assert_array_equal(found.apply(acc)[:, usable], expected[:, usable])


@pytest.mark.parametrize("lo, hi", [(-128, 127), (0, 127), (-128, 5), (-7, 127), (-9, 54), (4, 4)])
def test_saturations_impose_what_they_say(lo: int, hi: int) -> None:
    t = np.arange(-700, 700)
    for way in saturations(lo, hi):
        expected = np.clip(t + way.base, way.lowest, way.highest)
        np.testing.assert_array_equal(way.apply(t << 3, 3), expected)
    complete = complete_saturation(lo, hi)
    assert (complete.lowest, complete.highest) == (lo, hi)


def test_find_requant_reads_the_form() -> None:
    problem = layer([-8, -8], zero=-128, reach=2**17)
    multiplier, shift = problem.multiplier.astype(np.int32), problem.shift.astype(np.int32)
    form = AccumulateForm(multiplier, shift, -128, 127)
    ends = problem.acc_lo, problem.acc_hi
    held = {True: 8, False: 0}
    for preshifted, up in held.items():
        found = find_requant(form, *ends, -128, Rounding.DOUBLE, preshifted)
        assert found.register_shift == up
    found = find_requant(form, *ends, -128, Rounding.DOUBLE, False, register_shift=1)
    assert found.register_shift == 1


@pytest.mark.parametrize(
    "wrong", [{"lo": -129}, {"lo": 5, "hi": 4}, {"acc_lo": np.array([2**21] * 2)}, {"shift": 11}]
)
def test_what_makes_no_sense_is_refused(wrong: dict) -> None:
    if "shift" in wrong:
        wrong = {"shift": np.array([wrong["shift"]] * 2)}
    with pytest.raises(ValueError):
        replace(layer([-8, -8], zero=0), **wrong)
