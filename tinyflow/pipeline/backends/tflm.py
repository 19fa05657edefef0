"""The backend that gives a .tflite file and a C++ project around TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyflow.codegen.c import LayerInfo
from tinyflow.codegen.tflite import TfliteFile
from tinyflow.codegen.tflite.custom import custom_operator
from tinyflow.codegen.tflite.project import make_project
from tinyflow.data import Dataset
from tinyflow.errors import UsageError, VerifyError
from tinyflow.ir import Graph, Node, Rounding
from tinyflow.pipeline.backends.backend import Job, Product, Trial
from tinyflow.pipeline.firmware import Firmware, build_and_run
from tinyflow.pipeline.limits import check_room
from tinyflow.pipeline.tflite_file import TFLITE_FILE, make_tflite
from tinyflow.quantize.weights import CHANNEL_AXIS
from tinyflow.targets.app import tflite_micro_files
from tinyflow.targets.build_tflite_micro import CMSIS_NN, DIRECTORY, find_checkout
from tinyflow.verify import Verdict
from tinyflow.verify.ladder.engines import TfliteMicro
from tinyflow.verify.ladder.exported import exported_rung
from tinyflow.verify.ladder.rung import Outcome

RUNNER = "tflite-micro"
BUILTIN = "builtin"


def make(job: Job) -> Product:
    """The .tflite file, an interpreter with the operators that it has, and an application.

    Raises `MissingExtraError` where the interpreter that sizes the arena is not installed, and
    `ModelError` where the model cannot fit the target.
    """
    options, graph, name = job.options, job.graph, job.source.name
    if options.tflite_builtins:
        raise UsageError(
            "--tflite-builtins does not go with --backend tflm, whose project has the kernels of "
            "its custom operators",
            "leave --tflite-builtins out, or export the model with 'tinyflow quantize'",
        )
    model = make_tflite(graph, name, job.data, False, job.progress)
    file = model.file
    job.progress.stage("Generating the C++ project")
    project = make_project(graph, file, name, job.banner)
    check_room(project.arena.nbytes, len(file.data), job.target)
    weight_bytes = sum(_weight_bytes(graph, node) for node in graph.nodes)
    return Product(
        graph=graph,
        files={
            **project.files,
            **tflite_micro_files(name, graph, job.target, options.optimize),
            TFLITE_FILE: file.data,
        },
        arena_bytes=project.arena.nbytes,
        weight_bytes=weight_bytes,
        table_bytes=len(file.data) - weight_bytes,
        layers=tuple(_layers(graph, file)),
        report={"tflite": model.to_json()},
    )


def run(job: Job, trial: Trial) -> Firmware:
    """In the tflite-micro package, all but the custom operators; and as a program, where the
    environment says where the runtime's sources lie."""
    verdict = _check_package(job, trial)
    verdicts = () if verdict is None else (verdict,)
    if find_checkout() is None:
        job.progress.note(
            f"the C++ was not compiled: {DIRECTORY} names no checkout of tflite-micro "
            f"(and {CMSIS_NN} none of CMSIS-NN)"
        )
        options = replace(job.options, build=False, run=False)
    else:
        options = job.options
    product = trial.product
    firmware = build_and_run(
        trial.bundle,
        job.target,
        product.weight_bytes,
        product.table_bytes,
        trial.vectors,
        trial.test,
        options,
        job.progress,
    )
    return replace(firmware, verdicts=(*verdicts, *firmware.verdicts))


def _check_package(job: Job, trial: Trial) -> Verdict | None:
    """None where the package cannot say anything. Raises `VerifyError`."""
    graph = trial.product.graph
    if graph.rounding is Rounding.SINGLE:
        job.progress.note("the tflite-micro package rounds twice: nothing was compared with it")
        return None
    vectors = Dataset(trial.vectors, None, "test vectors")
    rung = exported_rung(TfliteMicro(), graph, vectors, job.progress)
    if rung.outcome is Outcome.NOT_RUN:
        job.progress.note(f"nothing was compared with the tflite-micro package: {rung.note}")
        return None
    if rung.outcome is not Outcome.EQUAL:
        first = rung.differences[0]
        raise VerifyError(
            f"in the tflite-micro package, layer '{first.layer}' differs first, "
            f"by {first.amount:g} at most",
            "this is a bug in TinyFlow",
        )
    return Verdict(RUNNER, rung.inputs, rung.tensors, None)


def _layers(graph: Graph, file: TfliteFile) -> Iterator[LayerInfo]:
    for step, node in enumerate(graph.nodes):
        custom = node.name in file.custom_nodes
        yield LayerInfo(
            step=step,
            name=node.name,
            op=node.op,
            variant=custom_operator(graph, node).name if custom else BUILTIN,
            function=None,
            tensor=node.output,
            row_bytes=graph.result(node).nbytes,
            weight_bytes=_weight_bytes(graph, node),
            table_bytes=0,
        )


def _weight_bytes(graph: Graph, node: Node) -> int:
    if node.op not in CHANNEL_AXIS:
        return 0
    return graph.operands(node)[1].nbytes
