"""The table of operations: attributes, shapes, float arithmetic and facts, one file each."""

from __future__ import annotations

from tinyflow.ir.node import Op
from tinyflow.ir.ops import (
    add,
    average_pool,
    batch_norm,
    clamp,
    concat,
    conv2d,
    depthwise_conv2d,
    fully_connected,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    matmul,
    max_pool,
    mean,
    mul,
    pad,
    quantize,
    reshape,
    resize_bilinear,
    resize_nearest,
    sigmoid,
    slice,
    softmax,
    sub,
    tanh,
    transpose,
    transpose_conv2d,
)
from tinyflow.ir.ops.spec import OpSpec, ShapeError

_MODULES = (
    add,
    average_pool,
    batch_norm,
    clamp,
    concat,
    conv2d,
    depthwise_conv2d,
    fully_connected,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    matmul,
    max_pool,
    mean,
    mul,
    pad,
    quantize,
    reshape,
    resize_bilinear,
    resize_nearest,
    sigmoid,
    slice,
    softmax,
    sub,
    tanh,
    transpose,
    transpose_conv2d,
)

OPS: dict[Op, OpSpec] = {module.SPEC.op: module.SPEC for module in _MODULES}

__all__ = ["OPS", "OpSpec", "ShapeError"]
