"""Runs onnxsim over a model before its layers are translated."""

from __future__ import annotations

import onnx

LARGEST_FOLDED_TENSOR = "64MB"

# TinyFlow's own passes do these, with the names of all merged layers kept; some would also write
# operations that are not ONNX's own.
_SKIPPED_OPTIMIZERS = [
    "fuse_add_bias_into_conv",
    "fuse_attention",
    "fuse_bn_into_conv",
    "fuse_concat_into_reshape",
    "fuse_gelu",
    "fuse_gqa",
    "fuse_layer_norm",
    "fuse_lp_normalization",
    "fuse_matmul_add_bias_into_gemm",
    "fuse_matmul_add_bias_into_gemm_batched",
    "fuse_matmul_into_conv",
    "fuse_mul_into_conv",
    "fuse_pad_into_conv",
    "fuse_pad_into_pool",
    "fuse_preceding_mul_into_conv",
    "fuse_qkv",
    "fuse_reduce_sum_into_conv",
    "fuse_rms_norm",
    "fuse_rope",
    "fuse_transpose_into_gemm",
    "eliminate_duplicate_initializer",
    "rewrite_where",
]


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with constant chains computed; inputs, outputs and names stay what they were.

    Only a model with branches is rewritten further, since that can decide them. Where onnxsim
    cannot cope with a model, the model is returned as it is: the importer computes constants too.
    """
    simplified = _run(model, optimize=False)
    if any(node.op_type in ("If", "Loop") for node in simplified.graph.node):
        return _run(simplified, optimize=True)
    return simplified


def _run(model: onnx.ModelProto, optimize: bool) -> onnx.ModelProto:
    # It brings large packages in, hence not at the top of the file.
    import onnxsim

    try:
        simplified, _ = onnxsim.simplify(
            model,
            perform_optimization=optimize,
            skipped_optimizers=list(_SKIPPED_OPTIMIZERS),
            tensor_size_threshold=LARGEST_FOLDED_TENSOR,
        )
    # Its native code turns every failure into an exception of its own choice.
    except Exception:
        return model
    return simplified if _boundary(simplified) == _boundary(model) else model


def _boundary(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in weights]
    return inputs, [value.name for value in model.graph.output]
