"""Steps behind the last layer of a quantized graph: labels of pixels, boxes of a detector.

They work on the codes of the network's outputs and take their place as outputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from tinyflow.ir import (
    OPS,
    Attrs,
    DType,
    Graph,
    GraphEditor,
    Node,
    Op,
    QuantParams,
    Tensor,
    check_graph,
)
from tinyflow.ir.ops.argmax import ArgmaxAttrs
from tinyflow.ir.ops.detection import DetectionAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.quantize.forms import FORMS
from tinyflow.quantize.forms.detection import ANCHOR_SCALE, ONE
from tinyflow.quantize.labels import index_dtype
from tinyflow.quantize.site import Site


def add_argmax(graph: Graph, output: str, enlarged: ResizeAttrs | None = None) -> Graph:
    """The graph with the index of the largest channel, [..., 1], in place of ``output``; uint8 up
    to 256 channels, else int16. The image is ``enlarged`` before, or as a RESIZE_BILINEAR does that
    makes ``output``: that one goes into the step."""
    dtype = index_dtype(graph.tensors[output].shape[-1])
    source, resize = output, enlarged
    if enlarged is None:
        graph, source, resize = _without_resize(graph, output)
    attrs = ArgmaxAttrs(resize)
    return _append(graph, Op.ARGMAX, (source,), attrs, dtype, QuantParams.per_tensor(1.0), ())


def _without_resize(graph: Graph, output: str) -> tuple[Graph, str, ResizeAttrs | None]:
    """The graph, the tensor before a final RESIZE_BILINEAR that only makes ``output``, and how
    that one resizes."""
    node = graph.producer(output)
    if node is None or node.op is not Op.RESIZE_BILINEAR or graph.consumers(output):
        return graph, output, None
    (source,) = node.inputs
    if graph.producer(source) is None or source in graph.outputs:
        return graph, output, None
    editor = GraphEditor(replace(graph, outputs=_replaced(graph.outputs, (output,), source)))
    editor.remove_node(node)
    return editor.build(), source, cast(ResizeAttrs, node.attrs)


def add_detection(
    graph: Graph, logits: str, deltas: str, anchors: np.ndarray, attrs: DetectionAttrs
) -> Graph:
    """The graph with boxes, scores and classes in place of the raw outputs ``logits`` and
    ``deltas``: int32 [1, detections, 6] in Q16.16. ``anchors`` are float [n, 4] in pixels."""
    codes = np.rint(anchors / ANCHOR_SCALE).astype(np.int32)
    constant = Tensor.constant(f"{logits}/anchors", codes, QuantParams.per_tensor(ANCHOR_SCALE))
    return _append(
        graph,
        Op.DETECTION,
        (logits, deltas),
        attrs,
        DType.INT32,
        QuantParams.per_tensor(1 / ONE),
        (constant,),
    )


def _append(
    graph: Graph,
    op: Op,
    outputs: tuple[str, ...],
    attrs: Attrs,
    dtype: DType,
    params: QuantParams,
    constants: tuple[Tensor, ...],
) -> Graph:
    """Appends a node that reads ``outputs`` and then ``constants``."""
    if graph.rounding is None:
        raise ValueError("the graph has no integers yet: attach_integers comes first")
    name = f"{outputs[0]}/{op.value.lower()}"
    inputs = (*outputs, *(tensor.name for tensor in constants))
    known = {**graph.tensors, **{tensor.name: tensor for tensor in constants}}
    shape = OPS[op].infer(attrs, *(known[tensor].shape for tensor in inputs))
    result = Tensor(name, shape, dtype, params)
    sources = tuple(node.name for o in outputs if (node := graph.producer(o)) is not None)
    node = Node(name, op, inputs, (name,), attrs, sources)
    extended = replace(
        graph,
        nodes=(*graph.nodes, node),
        tensors={**known, name: result},
        outputs=_replaced(graph.outputs, outputs, name),
        layouts={k: perm for k, perm in graph.layouts.items() if k not in outputs},
    )
    form = FORMS[op](Site.of(extended, node, graph.rounding))
    extended = replace(extended, nodes=(*graph.nodes, replace(node, integer=form)))
    check_graph(extended, f"adding {op.value}")
    return extended


def _replaced(outputs: tuple[str, ...], gone: tuple[str, ...], name: str) -> tuple[str, ...]:
    """``name`` in the place of the first of those that are ``gone``."""
    at = min(outputs.index(output) for output in gone)
    kept = [output for output in outputs if output not in gone]
    return (*kept[:at], name, *kept[at:])
