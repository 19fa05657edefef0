"""Takes tests up the rungs: importer, float graph, integer reference, C."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from benchmarks.conformance.cases import Case
from benchmarks.conformance.forms import Form, forms_of
from benchmarks.conformance.verdict import Rung, Verdict
from tests.support.compiled import Job, compile_and_run
from tinyflow.codegen.c import choose_variants, demands_of
from tinyflow.codegen.c.constraints import find_obstacles
from tinyflow.codegen.schedule import make_schedule
from tinyflow.errors import Obstacle, TinyflowError, UnsupportedError
from tinyflow.importers import load_model
from tinyflow.ir import Graph, execute
from tinyflow.passes import run_passes
from tinyflow.quantize import QuantizeOptions, RangeMethod, quantize_model, run_reference

_LEAST_SQNR_DB = 20.0
_MOST_STEPS = 2.0
"""An output that misses the SQNR may still be within so many steps of its own scale."""

_TOGETHER = 40
"""Models of one C program."""


@dataclass(frozen=True, eq=False)
class _Climb:
    """A test on its way: what is known of it, whether its float graph is right, and the integer
    graph with its input codes."""

    verdict: Verdict
    job: Job | None = None
    right_in_float: bool = False


class _StopError(Exception):
    """A test cannot go further."""

    def __init__(self, rung: Rung, reason: str) -> None:
        super().__init__(reason)
        self.rung = rung
        self.reason = reason


def climb(
    cases: Sequence[Case], progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Verdict]:
    """The verdict on each test, in their order."""
    climbs = []
    for number, case in enumerate(cases):
        climbs.append(_to_reference(case))
        progress(number + 1, len(cases))
    ready = [index for index, c in enumerate(climbs) if c.job is not None]
    for start in range(0, len(ready), _TOGETHER):
        part = ready[start : start + _TOGETHER]
        jobs = [job for index in part if (job := climbs[index].job) is not None]
        for index, reason in zip(part, _differences(jobs), strict=True):
            if reason:
                failed = replace(climbs[index].verdict, rung=Rung.FAIL, reason=reason)
                climbs[index] = _Climb(failed)
    return [c.verdict for c in climbs]


def _to_reference(case: Case) -> _Climb:
    """Up to the integer reference; a test that comes so far counts as passed until C differs.

    Of the forms that the importer takes, the first that gets there counts, unless one before it
    computes something wrong.
    """
    best = _Climb(Verdict(case.name, case.op, case.expanded, Rung.UNSUPPORTED, _untried(case)))
    for form in forms_of(case):
        climb = _with_form(case, form)
        if form.split and not climb.right_in_float:
            continue
        if climb.verdict.rung in (Rung.PASS, Rung.FAIL):
            return climb
        if climb.verdict.rung is Rung.FLOAT or best.verdict.rung is Rung.UNSUPPORTED:
            best = climb
    return best


def _with_form(case: Case, form: Form) -> _Climb:
    verdict = Verdict(case.name, case.op, case.expanded, Rung.PASS)
    right_in_float = False
    try:
        graph = _imported(form)
        canonical = _checked_in_float(case, form, graph)
        right_in_float = True
        job, sqnr = _quantized(form, canonical)
        return _Climb(replace(verdict, sqnr_db=sqnr), job, right_in_float)
    except _StopError as stop:
        failed = replace(verdict, rung=stop.rung, reason=stop.reason)
        return _Climb(failed, right_in_float=right_in_float)
    # Whatever else is raised is what this looks for.
    except Exception as error:
        text = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {text[0] if text else ''}"
        failed = replace(verdict, rung=Rung.FAIL, reason=reason)
        return _Climb(failed, right_in_float=right_in_float)


def _imported(form: Form) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(form.model, path)
        try:
            return load_model(path)
        except UnsupportedError as error:
            refusal = _sentences(error.obstacles)
        except TinyflowError as error:
            refusal = error.message.replace(str(path), "the model")
    raise _StopError(Rung.UNSUPPORTED, refusal)


def _untried(case: Case) -> str:
    """Why a test without float inputs is not even tried."""
    kinds = {np.asarray(v).dtype.name for v in case.inputs.values() if isinstance(v, np.ndarray)}
    if kinds:
        return f"its inputs are {' and '.join(sorted(kinds))}; TinyFlow compiles float models"
    return "it has no tensor as input, so there is nothing to compute on the target"


def _sentences(obstacles: Sequence[Obstacle]) -> str:
    """The first reason, and how many others there are."""
    first, *others = dict.fromkeys(o.reason for o in obstacles)
    return f"{first}; and {len(others)} more" if others else first


def _checked_in_float(case: Case, form: Form, graph: Graph) -> Graph:
    """The canonical graph. It and the imported one give the outputs that the test demands."""
    canonical = run_passes(graph)
    assert form.wanted.keys() == set(graph.outputs)
    for stage, candidate in (("imported", graph), ("after all passes", canonical)):
        outputs = execute(candidate, _stored(candidate, form.samples))
        for name, wanted in form.wanted.items():
            got = _in_source_order(candidate, name, outputs[name]).astype(np.float64)
            if got.shape != wanted.shape:
                reason = f"'{name}' has the shape {got.shape}, not {wanted.shape} ({stage})"
                raise _StopError(Rung.FAIL, reason)
            if not np.allclose(got, wanted, case.rtol, case.atol, equal_nan=True):
                index = np.argmax(~np.isclose(got, wanted, case.rtol, case.atol, equal_nan=True))
                reason = f"'{name}' is {got.flat[index]:.6g}, not {wanted.flat[index]:.6g}"
                raise _StopError(Rung.FAIL, f"{reason}, in float ({stage})")
    return canonical


def _stored(graph: Graph, samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: samples[name].transpose(graph.layouts.get(name, range(samples[name].ndim)))
        for name in graph.inputs
    }


def _in_source_order(graph: Graph, name: str, array: np.ndarray) -> np.ndarray:
    return array.transpose(np.argsort(graph.layouts.get(name, range(array.ndim))))


def _quantized(form: Form, graph: Graph) -> tuple[Job, float | None]:
    """The integer graph with its input codes, and the SQNR of its worst output."""
    obstacles = find_obstacles(graph)
    if obstacles:
        raise _StopError(Rung.FLOAT, _sentences(obstacles))
    samples = {n: a.astype(np.float32) for n, a in _stored(graph, form.samples).items()}
    if not all(np.isfinite(a).all() for a in samples.values()):
        raise _StopError(Rung.FLOAT, "its data hold infinity or NaN, which have no int8 code")
    try:
        integers = quantize_model(graph, samples, QuantizeOptions(ranges=RangeMethod.MINMAX))
    except UnsupportedError as error:
        raise _StopError(Rung.FLOAT, _sentences(error.obstacles)) from None
    except TinyflowError as error:
        raise _StopError(Rung.FLOAT, error.message) from None
    obstacles = find_obstacles(integers)
    if obstacles:
        raise _StopError(Rung.FLOAT, _sentences(obstacles))
    codes = {n: _codes(integers, n, a) for n, a in samples.items()}
    sqnr = _compare(graph, integers, codes)
    schedule = make_schedule(integers, demands_of(integers, choose_variants(integers)))
    return Job(schedule, codes), sqnr


def _codes(graph: Graph, name: str, reals: np.ndarray) -> np.ndarray:
    tensor = graph.tensors[name]
    assert tensor.quant is not None
    return tensor.quant.quantize(reals, tensor.dtype)


def _compare(graph: Graph, integers: Graph, codes: Mapping[str, np.ndarray]) -> float | None:
    """The SQNR of the worst output against the float graph on the very inputs that the codes
    stand for: what rounding the inputs does is not the op's doing."""
    reals = {n: _reals(integers, n, array) for n, array in codes.items()}
    wanted = execute(graph, reals, dtype=np.float64)
    worst = math.inf
    for name, got in run_reference(integers, codes).items():
        quant = integers.tensors[name].quant
        error = np.abs(_reals(integers, name, got) - wanted[name])
        noise, signal = float(np.mean(error**2)), float(np.mean(wanted[name] ** 2))
        sqnr = math.inf if noise == 0 else 10 * math.log10(max(signal, 1e-30) / noise)
        steps = float(error.max()) / (quant.scale if quant else 1.0)
        if sqnr < _LEAST_SQNR_DB and steps > (_MOST_STEPS if quant else 0.0):
            raise _StopError(Rung.FAIL, f"'{name}' is off by {steps:.3g} steps of its int8 scale")
        worst = min(worst, sqnr)
    return None if math.isinf(worst) else round(worst, 1)


def _reals(graph: Graph, name: str, codes: np.ndarray) -> np.ndarray:
    quant = graph.tensors[name].quant
    return codes.astype(np.float32) if quant is None else quant.dequantize(codes)


def _differences(jobs: Sequence[Job]) -> list[str]:
    """Per job, where its C differs from the integer reference; '' where it does not."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            results = compile_and_run(jobs, Path(folder), ("-O0",))
    except AssertionError as error:
        if len(jobs) > 1:
            return [_differences([job])[0] for job in jobs]
        return [f"its C does not build or run: {str(error).strip().splitlines()[-1]}"]
    return [
        _first_difference(job, {**result.taps, **result.outputs})
        for job, result in zip(jobs, results, strict=True)
    ]


def _first_difference(job: Job, computed: Mapping[str, np.ndarray]) -> str:
    expected: dict[str, np.ndarray] = {}
    run_reference(job.graph, job.inputs, expected.__setitem__)
    for name, codes in computed.items():
        if not np.array_equal(codes, expected[name]):
            return f"the C of '{name}' differs from the integer reference"
    return ""
