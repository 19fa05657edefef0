"""LAYER_NORM with its sums taken two products at a time."""

from __future__ import annotations

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.layer_norm import fields
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Op


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call("layer_norm_words_s8", fields(layer), folder="dsp/")]


LAYER_NORM = Variant("dsp", Op.LAYER_NORM, bind, frozenset({Feature.DSP}))
