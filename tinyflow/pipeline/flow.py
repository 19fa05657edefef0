"""The flow: from a model file to a firmware bundle with everything that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyflow.bundle import (
    Bundle,
    json_bytes,
    read_bundle,
    stage_bundle,
    vector_files,
    write_files,
)
from tinyflow.data import Dataset, random_dataset
from tinyflow.data.spec import input_specs
from tinyflow.ir import Graph
from tinyflow.ir.serialize import to_bytes
from tinyflow.pipeline.backends import BACKENDS, Job, Product, Trial
from tinyflow.pipeline.backends.choice import check_backend_options, choose_backend
from tinyflow.pipeline.firmware import Firmware
from tinyflow.pipeline.layers import (
    arena_entry,
    layer_entries,
    layer_errors,
    logit_sqnr,
)
from tinyflow.pipeline.limits import check_limits, check_options
from tinyflow.pipeline.manifest import file_hashes, make_manifest
from tinyflow.pipeline.quantize_file import float_stages, report_head
from tinyflow.pipeline.quantizing import quantize
from tinyflow.pipeline.source import (
    Source,
    check_name,
    load_calibration,
    load_test_data,
    read_source,
    with_defaults,
)
from tinyflow.progress import SILENT, Progress
from tinyflow.project import CompileOptions, make_options
from tinyflow.report import no_accuracy, no_memory, write_report
from tinyflow.targets import load_target
from tinyflow.verify.accuracy import Stage, Stages, integer_scores, is_classifier, measure
from tinyflow.verify.expected import expected_outputs

if TYPE_CHECKING:
    from tinyflow.pipeline.model_source import TorchModel

VECTORS = 8
VECTOR_BYTES = 1 << 16
"""Test vectors of a bundle: this many inputs, or as many as fit into these bytes."""


def compile(
    model: str | Path | TorchModel, *, target: str, progress: Progress = SILENT, **options: Any
) -> Bundle:
    """Compiles a model for a target and returns the bundle.

    ``model`` is whatever the command line takes, or a `torch.nn.Module` in evaluation mode, with
    ``shapes`` for its inputs, or a `torch.export.ExportedProgram`. ``options`` are
    the fields of `tinyflow.project.CompileOptions`. Raises `TinyflowError`.
    """
    given = None if isinstance(model, str | Path) else model
    title = str(model) if given is None else options.get("name") or type(model).__name__
    values = {**options, "model": title, "target": target}
    for name in ("output", "calibration", "test_data", "weights"):
        if values.get(name) is not None:
            values[name] = str(values[name])
    return compile_model(make_options(values), progress, given)


def compile_model(
    options: CompileOptions, progress: Progress = SILENT, model: TorchModel | None = None
) -> Bundle:
    """The whole flow; ``model`` is a PyTorch model that stands in for the file.

    Raises `TinyflowError`; then whatever lay at the output is as it was.
    """
    target = load_target(options.target)
    options = replace(options, backend=choose_backend(target, options.backend))
    check_backend_options(options)
    check_name(options)
    source = read_source(options, progress, model)
    options = with_defaults(source, options)
    check_options(source, options)
    output = Path(options.output or f"{source.name}-{target.name}")
    with stage_bundle(output) as directory:
        calibration = load_calibration(source, options, progress)
        test = load_test_data(source, options, progress)
        quantized = quantize(source, calibration, options, progress)
        data = test or calibration
        backend = BACKENDS[str(options.backend)]
        job = Job(source, quantized.graph, target, options, calibration, test, progress)
        product = backend.make(job)
        graph = product.graph

        manifest = make_manifest(source, graph, target, options, calibration)
        manifest |= product.manifest
        write_files(
            directory,
            {
                **product.files,
                "model.tfq": to_bytes(graph),
                "manifest.json": json_bytes(manifest),
            },
        )
        bundle = Bundle(directory, manifest)
        vectors = test_vectors(graph, data)
        write_files(directory, vector_files(graph, vectors, expected_outputs(bundle, vectors)))
        trial = Trial(bundle, product, vectors, test)
        firmware = backend.run(job, trial)
        manifest["compiler"] = firmware.compiler
        manifest["files"] = file_hashes(directory)
        write_files(directory, {"manifest.json": json_bytes(manifest)})

        errors = layer_errors(source, quantized.whole, data, progress)
        sqnr = logit_sqnr(graph, errors)
        accuracy = measure_accuracy(source, graph, test, firmware, sqnr, progress)
        report = {
            **report_head(source, quantized.removal, manifest),
            "accuracy": accuracy,
            "layers": layer_entries(graph, errors, product.schedule, product.layers),
            "memory": memory_entry(product, firmware),
            "arena": arena_entry(product.schedule),
            "latency": [],
            "verify": [verdict.to_json() for verdict in firmware.verdicts],
            **product.report,
        }
        check_limits(report, options, progress)
        write_report(directory, report)
    return read_bundle(output)


def test_vectors(graph: Graph, data: Dataset | None) -> Mapping[str, Any]:
    """The first inputs of the data at hand, or made-up ones."""
    if data is None:
        data = random_dataset(graph, input_specs(graph))
    each = sum(graph.tensors[name].nbytes for name in graph.inputs)
    return data.head(max(1, min(VECTORS, VECTOR_BYTES // each))).codes(graph)


def measure_accuracy(
    source: Source,
    graph: Graph,
    test: Dataset | None,
    firmware: Firmware,
    sqnr: float | None,
    progress: Progress,
) -> dict[str, Any]:
    """The accuracy entry. The integer reference stands in where nothing compiled could run."""
    if test is None or firmware.reference is None:
        return {**no_accuracy(), "logit_sqnr_db": sqnr}
    before, original = float_stages(source, test, progress)
    reference = Stage("int8 reference", integer_scores(graph, firmware.reference))
    if firmware.outputs is None or firmware.runner is None:
        stages = Stages(
            (*before, reference), original, reference, "reference", is_classifier(graph)
        )
        return measure(stages, test.labels, sqnr)
    compiled = Stage(
        f"{firmware.stage}, {firmware.runner}", integer_scores(graph, firmware.outputs)
    )
    stages = Stages(
        (*before, reference, compiled), original, compiled, firmware.runner, is_classifier(graph)
    )
    return measure(stages, test.labels, sqnr)


def memory_entry(product: Product, firmware: Firmware) -> dict[str, Any]:
    use = firmware.memory
    return {
        **no_memory(),
        "arena_bytes": product.arena_bytes,
        "arena_lower_bound_bytes": product.arena_lower_bound_bytes,
        "weight_bytes": product.weight_bytes,
        "table_bytes": product.table_bytes,
        "stack_bytes": firmware.stack_bytes,
        "ram_bytes": use.ram_bytes if use else None,
        "code_bytes": use.code_bytes if use else None,
        "flash_bytes": use.flash_bytes if use else None,
    }
