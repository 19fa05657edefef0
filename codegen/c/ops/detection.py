"""DETECTION."""

from __future__ import annotations

from typing import Any

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.literals import UInt32
from tinyflow.ir import Graph, Node

_CANDIDATE_BYTES = 8


def scratch_bytes(graph: Graph, node: Node) -> int:
    attrs: Any = node.attrs
    return int(attrs.candidates) * _CANDIDATE_BYTES


def bind(layer: Layer) -> list[KernelCall]:
    attrs, form = layer.attrs, layer.form
    logits, deltas, _ = layer.operands
    height, width = attrs.image
    fields: list[FieldLine] = [
        {"positions": logits.shape[1], "classes": logits.shape[2], "background": attrs.background},
        {"candidates": attrs.candidates, "detections": attrs.detections},
        {"width": width, "height": height},
        {"delta_zero": deltas.params.zero_point, "centre": form.centre},
        {"least_score": UInt32(form.least_score), "overlap": UInt32(form.overlap)},
        {"powers": layer.table("powers", form.powers)},
        {"growth": layer.table("growth", form.growth)},
        {"anchors": layer.weight(2)},
    ]
    inputs = [layer.input_rows(0), layer.input_rows(1)]
    return [layer.call("detection_s8", fields, inputs, rows=1, scratch=layer.scratch)]
