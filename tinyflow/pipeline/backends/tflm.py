"""The backend that gives a .tflite file and a C++ project around TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyflow.bundle import TFLITE
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
from tinyflow.pipeline.tflite_file import lowering_data, make_tflite
from tinyflow.quantize.weights import CHANNEL_AXIS
from tinyflow.targets.app import tflite_micro_files
from tinyflow.targets.build_tflite_micro import CMSIS_NN, DIRECTORY, find_checkout
from tinyflow.verify import Verdict
from tinyflow.verify.engines import TfliteMicro
from tinyflow.verify.expected import expected_outputs
from tinyflow.verify.ladder.exported import exported_rung
from tinyflow.verify.ladder.rung import Outcome

RUNNER = "tflite-micro"
BUILTIN, LOWERED = "builtin", "lowered"


def make(job: Job) -> Product:
    """The .tflite file, an interpreter with the operators that it has, and an application.

    With ``tflite_builtins`` no operator is a custom one; the project then computes what the lowered
    file says. Raises `MissingExtraError` where the interpreter that sizes the arena is not
    installed, `UnsupportedError` for layers that cannot be lowered, and `ModelError` where the
    model cannot fit the target.
    """
    options, graph, name = job.options, job.graph, job.source.name
    data = lowering_data(job.source, job.calibration, job.test, options, job.progress)
    model = make_tflite(graph, name, data, options.tflite_builtins, job.progress)
    file = model.file
    if file.lowered_nodes and graph.rounding is Rounding.SINGLE:
        raise UsageError(
            "--tflite-builtins and --rounding single do not go together: what lowered layers "
            "compute is known from the tflite-micro package, which rounds twice",
            "leave one of them out",
        )
    job.progress.stage("Generating the C++ project")
    project = make_project(graph, file, name, job.banner)
    check_room(project.arena.nbytes, len(file.data), job.target)
    # By name: layers that share a tensor read the same one of the file.
    weights = {node.inputs[1]: graph.operands(node)[1].nbytes for node in _weighted(graph)}
    weight_bytes = sum(weights.values())
    return Product(
        graph=graph,
        files={
            **project.files,
            **tflite_micro_files(name, graph, job.target, options.optimize),
            TFLITE: file.data,
        },
        arena_bytes=project.arena.nbytes,
        weight_bytes=weight_bytes,
        table_bytes=len(file.data) - weight_bytes,
        layers=tuple(_layers(graph, file)),
        manifest={"tflite": model.to_json()},
        report={"tflite": model.to_json()},
    )


def run(job: Job, trial: Trial) -> Firmware:
    """In the tflite-micro package, all but custom operators and lowered layers; and as a program,
    where the environment says where the runtime's sources lie."""
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
    firmware = replace(firmware, verdicts=(*verdicts, *firmware.verdicts))
    if firmware.outputs is not None or trial.test is None or not trial.bundle.is_lowered:
        return firmware
    # The integer reference's outputs would pass for those of the model that was lowered.
    job.progress.stage(f"Running the lowered file on {len(trial.test)} inputs")
    outputs = expected_outputs(trial.bundle, trial.test.codes(product.graph))
    return replace(firmware, runner=RUNNER, outputs=outputs, stage=LOWERED)


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
    return Verdict(RUNNER, rung.inputs, rung.tensors, None, note=_left_out(trial.product))


def _left_out(product: Product) -> str | None:
    """What the package cannot be held to, in a few words."""
    count = sum(layer.variant != BUILTIN for layer in product.layers)
    if not count:
        return None
    kind = "lowered layers" if product.manifest["tflite"]["lowered"] else "custom operators"
    return f"{kind} left out: {count}, whose results the others are given"


def _layers(graph: Graph, file: TfliteFile) -> Iterator[LayerInfo]:
    weights = {node.name: graph.operands(node)[1].nbytes for node in _weighted(graph)}
    custom = set(file.custom_nodes)
    variants = dict.fromkeys(file.lowered_nodes, LOWERED)
    variants |= {n.name: custom_operator(graph, n).name for n in graph.nodes if n.name in custom}
    for step, node in enumerate(graph.nodes):
        yield LayerInfo(
            step=step,
            name=node.name,
            op=node.op,
            variant=variants.get(node.name, BUILTIN),
            function=None,
            tensor=node.output,
            row_bytes=graph.result(node).nbytes,
            weight_bytes=weights.get(node.name, 0),
            table_bytes=0,
        )


def _weighted(graph: Graph) -> Iterator[Node]:
    """The layers that have weights."""
    return (node for node in graph.nodes if node.op in CHANNEL_AXIS)
