"""Every function of one code: QUANTIZE, CLAMP and the activations."""

from __future__ import annotations

import numpy as np

from tinyflow.codegen.c.layer import FieldLine, KernelCall, Layer
from tinyflow.ir import as_nhwc


def bind(layer: Layer) -> list[KernelCall]:
    _, height, width, channels = as_nhwc(layer.result.shape)
    lowest = int(np.iinfo(layer.operands[0].dtype.numpy).min)
    fields: list[FieldLine] = [
        {"height": height, "row_bytes": width * channels},
        {"lowest": lowest},
        {"table": layer.table("table", layer.form.table.view(np.int8))},
    ]
    return [layer.call("table_8", fields)]
