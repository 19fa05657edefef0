"""`tinyflow quantize`: the flow up to the quantized graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyflow import __version__
from tinyflow.bundle import TFLITE, json_bytes, stage_bundle, write_files
from tinyflow.data import Dataset
from tinyflow.ir import Graph
from tinyflow.ir.serialize import to_bytes
from tinyflow.pipeline.layers import (
    arena_entry,
    layer_entries,
    layer_errors,
    logit_sqnr,
    model_entry,
)
from tinyflow.pipeline.manifest import make_manifest
from tinyflow.pipeline.quantizing import quantize
from tinyflow.pipeline.source import (
    Source,
    check_name,
    load_calibration,
    load_test_data,
    read_source,
    with_defaults,
)
from tinyflow.pipeline.tflite_file import lowering_data, make_tflite
from tinyflow.progress import SILENT, Progress
from tinyflow.project import CompileOptions
from tinyflow.quantize import Removal
from tinyflow.report import no_accuracy, no_memory, write_report
from tinyflow.verify.accuracy import (
    Stage,
    Stages,
    float_scores,
    imported_scores,
    integer_scores,
    is_classifier,
    measure,
    reference_outputs,
)


def quantize_file(options: CompileOptions, progress: Progress = SILENT) -> Path:
    """Writes model.tfq and its report into the output folder, and returns the folder; with
    ``options.tflite`` or ``options.tflite_builtins`` model.tflite too.

    The figures of the quantized model are those of the integer reference, which every compiled
    model equals. Raises `TinyflowError`; then the folder is as it was.
    """
    check_name(options)
    source = read_source(options, progress)
    options = with_defaults(source, options)
    output = Path(options.output or f"{source.name}-int8")
    with stage_bundle(output) as directory:
        calibration = load_calibration(source, options, progress)
        test = load_test_data(source, options, progress)
        model = quantize(source, calibration, options, progress)
        graph = model.graph
        manifest = make_manifest(source, graph, None, options, calibration)
        files = {"model.tfq": to_bytes(graph), "manifest.json": json_bytes(manifest)}
        write_files(directory, files)
        errors = layer_errors(source, model.whole, test or calibration, progress)
        sqnr = logit_sqnr(graph, errors)
        report = {
            **report_head(source, model.removal, manifest),
            "accuracy": reference_accuracy(source, graph, test, sqnr, progress),
            "layers": layer_entries(graph, errors),
            "memory": no_memory(),
            "arena": arena_entry(None),
            "latency": [],
            "verify": [],
        }
        if options.tflite or options.tflite_builtins:
            data = lowering_data(source, calibration, test, options, progress)
            tflite = make_tflite(graph, source.name, data, options.tflite_builtins, progress)
            write_files(directory, {TFLITE: tflite.file.data})
            report["tflite"] = tflite.to_json()
        write_report(directory, report)
    return output


def report_head(source: Source, removal: Removal, manifest: dict[str, Any]) -> dict[str, Any]:
    """What report.json says about the model, the target and the options."""
    return {
        "schema_version": 1,
        "tinyflow": __version__,
        "model": model_entry(source, removal),
        "target": manifest["target"],
        "options": manifest["options"],
        "calibration": manifest["calibration"],
        "packages": manifest["packages"],
    }


def reference_accuracy(
    source: Source, graph: Graph, test: Dataset | None, sqnr: float | None, progress: Progress
) -> dict[str, Any]:
    if test is None:
        return {**no_accuracy(), "logit_sqnr_db": sqnr}
    before, original = float_stages(source, test, progress)
    outputs = reference_outputs(graph, test.codes(graph))
    reference = Stage("int8 reference", integer_scores(graph, outputs))
    stages = Stages((*before, reference), original, reference, "reference", is_classifier(graph))
    return measure(stages, test.labels, sqnr)


def float_stages(
    source: Source, test: Dataset, progress: Progress
) -> tuple[tuple[Stage, ...], Stage | None]:
    """The stages before quantization, and the one that the compiled model is held against."""
    if not source.is_float:
        return (), None
    progress.stage(f"Running the float model on {len(test)} inputs")
    imported = imported_scores(source.imported, source.canonical, test)
    passed = float_scores(source.canonical, test.reals(source.canonical))
    stages = (Stage("float model", imported), Stage("after passes", passed))
    return stages, stages[1]
