"""The backends: one entry each, by the name that ``--backend`` takes."""

from __future__ import annotations

from tinyflow.pipeline.backends import c_sources, tflm
from tinyflow.pipeline.backends.backend import Backend, Job, Product, Trial

BACKENDS: dict[str, Backend] = {
    "c": Backend(c_sources.make, c_sources.run),
    "tflm": Backend(tflm.make, tflm.run),
    "tvm": Backend(c_sources.make, c_sources.run),
}
"""A name here is one of `tinyflow.project.options.BACKENDS`, too."""

__all__ = ["BACKENDS", "Backend", "Job", "Product", "Trial"]
