"""L2_NORM with its sum taken two squares at a time."""

from __future__ import annotations

from tinyflow.codegen.c.layer import KernelCall, Layer
from tinyflow.codegen.c.ops.l2_norm import fields
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import Op


def bind(layer: Layer) -> list[KernelCall]:
    return [layer.call("l2_norm_words_s8", fields(layer), folder="dsp/")]


L2_NORM = Variant("dsp", Op.L2_NORM, bind, frozenset({Feature.DSP}))
