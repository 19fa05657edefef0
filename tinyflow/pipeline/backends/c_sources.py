"""Backends that give C sources: a schedule of ours, and a kernel for each layer."""

from __future__ import annotations

from tinyflow.codegen.c import CodegenOptions, generate
from tinyflow.pipeline.backends.backend import Job, Product, Trial
from tinyflow.pipeline.firmware import Firmware, build_and_run
from tinyflow.pipeline.kernels import kernel_entry, plan_kernels
from tinyflow.pipeline.limits import check_room
from tinyflow.targets.app import app_files


def make(job: Job) -> Product:
    """The model's C sources, the kernels that they call, and an application around them.

    Raises `ModelError` where they cannot fit the target.
    """
    job.progress.stage("Choosing kernels")
    plan = plan_kernels(job.graph, job.target, job.options, job.progress)
    schedule = plan.schedule
    job.progress.stage("Generating C")
    name = job.source.name
    sources = generate(schedule, name, CodegenOptions(), job.banner, plan.choices)
    constant_bytes = sources.weight_bytes + sources.table_bytes
    check_room(schedule.arena_bytes, constant_bytes, job.target)
    app = app_files(name, schedule.graph, job.target, job.options.optimize)
    return Product(
        graph=schedule.graph,
        files={**sources.files, **app},
        arena_bytes=schedule.arena_bytes,
        weight_bytes=sources.weight_bytes,
        table_bytes=sources.table_bytes,
        arena_lower_bound_bytes=schedule.lower_bound_bytes,
        schedule=schedule,
        layers=sources.layers,
        manifest={"kernels": kernel_entry(plan, job.options)},
    )


def run(job: Job, trial: Trial) -> Firmware:
    """On the emulator, or on this computer where that is the target."""
    return build_and_run(
        trial.bundle,
        job.target,
        trial.product.weight_bytes,
        trial.product.table_bytes,
        trial.vectors,
        trial.test,
        job.options,
        job.progress,
    )
