"""What stands behind the network of a catalogue's model: boxes of a detector, labels of pixels."""

from __future__ import annotations

from collections.abc import Callable

from tinyflow.ir import Graph
from tinyflow.ir.ops.detection import DetectionAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.models import list_models, model_spec
from tinyflow.models.anchors import make_anchors
from tinyflow.models.registry import Task
from tinyflow.project import CompileOptions
from tinyflow.quantize.postprocess import add_argmax, add_detection

NONE = "none"


def postprocess(graph: Graph, options: CompileOptions) -> Graph:
    """The quantized graph with its post-processing, where its task has one and it is wanted."""
    if options.postprocess == NONE or options.model not in list_models():
        return graph
    spec = model_spec(options.model)
    return _STEPS[spec.task](graph, options.resolution or spec.resolution)


def _nothing(graph: Graph, resolution: int) -> Graph:
    return graph


def _boxes(graph: Graph, resolution: int) -> Graph:
    logits, deltas = graph.outputs
    background = graph.tensors[logits].shape[-1] - 1
    attrs = DetectionAttrs(image=(resolution, resolution), background=background)
    return add_detection(graph, logits, deltas, make_anchors(resolution), attrs)


def _labels(graph: Graph, resolution: int) -> Graph:
    (logits,) = graph.outputs
    enlarged = ResizeAttrs((resolution, resolution), half_pixel_centers=True)
    return add_argmax(graph, logits, enlarged)


_STEPS: dict[Task, Callable[[Graph, int], Graph]] = {
    Task.CLASSIFICATION: _nothing,
    Task.DETECTION: _boxes,
    Task.SEGMENTATION: _labels,
}
