"""What a layer gives to its blocks of products: weights, requantization, the blocks themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyflow.codegen.c.blocks import Block
from tinyflow.codegen.c.dsp.products import block_4x1, block_4x2, literal
from tinyflow.codegen.c.dsp.products.epilogue import PAIR_SHIFT, Epilogue
from tinyflow.codegen.c.dsp.products.frame import SIGNATURE
from tinyflow.codegen.c.dsp.products.shape import (
    GROUP,
    LARGEST_FLAT,
    LARGEST_STRAIGHT,
    ProductShape,
)
from tinyflow.codegen.c.dsp.products.stream import can_pair, pack
from tinyflow.codegen.c.dsp.requant import find_requant, reachable
from tinyflow.codegen.c.layer import Layer
from tinyflow.ir import DType, Graph, Node

_LARGEST_OFFSET = 4095
"""Bytes that a load or store reaches from its register."""

_LARGEST_SUM = 1 << (31 - PAIR_SHIFT)

MOST_RUNS = 32
"""TINYFLOW_MOST_RUNS of the kernels."""


def can_multiply(graph: Graph, node: Node) -> bool:
    """Whether blocks of products compute a convolution or fully connected layer to the last bit:
    its pairs of weights fit half-words."""
    form: Any = node.integer
    x, weight = graph.operands(node)[:2]
    if x.is_constant or x.dtype is not DType.INT8 or form.weight_zero:
        return False
    groups = getattr(node.attrs, "groups", 1)
    return graph.result(node).shape[-1] + 3 <= _LARGEST_OFFSET and can_pair(weight.value, groups)


def must_carry(graph: Graph, node: Node) -> bool:
    """Whether some sum times 256 may leave 32 bits."""
    lowest, highest = reachable(graph, node)
    return bool((lowest < -_LARGEST_SUM).any() or (highest >= _LARGEST_SUM).any())


def can_pair_pixels(shape: ProductShape) -> bool:
    """Whether the second pixel's activations and codes lie within reach of the first's."""
    most = 4 * max(LARGEST_FLAT, LARGEST_STRAIGHT)
    return 2 * shape.pixel_step + most <= _LARGEST_OFFSET and (
        shape.out_step + shape.out_c + 3 <= _LARGEST_OFFSET
    )


def bind_products(
    layer: Layer,
    rows: np.ndarray,
    shape: ProductShape,
    permuted: bool,
    pairs: bool,
    single: bool,
    groups: int = 1,
) -> str:
    """Keeps the weight stream and the blocks of a layer; the C of its tinyflow_product_blocks.

    ``rows`` are weights [out_c, rows of the window, values], where the shape is that of one of
    ``groups``: their streams follow each other. ``pairs`` and ``single`` say which blocks are
    called.
    """
    rounding = layer.graph.rounding
    assert rounding is not None
    form, zero = layer.form, layer.operands[0].params.zero_point
    lowest, highest = reachable(layer.graph, layer.node)
    out_zero = layer.result.params.zero_point
    requant = find_requant(form, lowest, highest, out_zero, rounding, preshifted=not shape.carries)
    epilogue = Epilogue(requant)
    bias = -zero * rows.astype(np.int64).sum(axis=(1, 2))
    if len(layer.operands) > 2:
        bias += layer.operands[2].value
    stream = np.concatenate(
        [
            pack(shape, rows[of], bias[of], [table[of] for table in epilogue.tables], permuted)
            for of in (slice(g * shape.out_c, (g + 1) * shape.out_c) for g in range(groups))
        ]
    )
    group_bytes = stream.nbytes // groups
    blocks = {"pairs": "NULL", "single": "NULL"}
    if pairs:
        blocks["pairs"] = layer.block(_pair_block(shape, epilogue, group_bytes))
    if single:
        blocks["single"] = layer.block(_single_block(shape, epilogue, group_bytes))
    fields: dict[str, int | str] = {
        **blocks,
        "weights": layer.packed_weight("weights", stream, GROUP * (1 + len(epilogue.tables))),
        "rows": shape.runs // shape.parts,
        "parts": shape.parts,
        "part": 2 * shape.steps,
        "pixel_step": shape.pixel_step,
        "out_step": shape.out_step,
    }
    if groups > 1:
        fields["group_words"] = stream.size // groups
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"


def _pair_block(shape: ProductShape, epilogue: Epilogue, stream_bytes: int) -> Block:
    return _block("4x2", block_4x2.lines, block_4x2.PIXELS, block_4x2.COMMENT)(
        shape, epilogue, stream_bytes
    )


def _single_block(shape: ProductShape, epilogue: Epilogue, stream_bytes: int) -> Block:
    return _block("4x1", block_4x1.lines, block_4x1.PIXELS, block_4x1.COMMENT)(
        shape, epilogue, stream_bytes
    )


def _block(
    size: str,
    lines: Callable[[ProductShape, Epilogue, int], list[str]],
    pixels: int,
    comment: tuple[str, ...],
) -> Callable[[ProductShape, Epilogue, int], Block]:
    def make(shape: ProductShape, epilogue: Epilogue, stream_bytes: int) -> Block:
        count = "count" if pixels == 1 else f"{pixels} * count"
        constants = literal.products(shape, epilogue)
        return Block(
            stem=f"products_{size}_{shape.stem}",
            signature=SIGNATURE,
            twin=f"tinyflow_products_s8({constants}, runs, weights, out, {count});",
            lines=tuple(lines(shape, epilogue, stream_bytes)),
            comment=(
                f"{size}: {4} channels of {pixels} pixel{'s' * (pixels > 1)} at a time; "
                f"{shape.runs} run{'s' * (shape.runs > 1)} of {2 * shape.steps} inputs.",
                *comment,
            ),
        )

    return make
