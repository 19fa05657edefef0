"""Every function of one code, looked up eight at a time."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.codegen.c.ops import BINDINGS, table
from tinyflow.codegen.c.sources import Feature
from tinyflow.codegen.c.variants.variant import Variant
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, height, width, channels = as_nhwc(layer.result.shape)
    lowest = int(np.iinfo(layer.operands[0].dtype.numpy).min)
    by_byte = np.roll(layer.form.table.view(np.int8), lowest)
    fields: list[FieldLine] = [
        {"height": height, "row_bytes": width * channels},
        {"table": layer.table("table", by_byte)},
    ]
    return [layer.call("table_words_8", fields, folder="dsp/")]


_TABLES = [op for op, portable in BINDINGS.items() if portable is table.bind]

VARIANTS = tuple(Variant("dsp", op, bind, frozenset({Feature.DSP})) for op in _TABLES)
