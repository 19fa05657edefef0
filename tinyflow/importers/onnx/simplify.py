"""Runs onnxsim over a model before its layers are translated."""

from __future__ import annotations

import onnx

SKIPPED_OPTIMIZERS = [
    # TinyFlow's own passes do these, with the names of all merged layers kept.
    "fuse_bn_into_conv",
    "fuse_add_bias_into_conv",
    "fuse_matmul_add_bias_into_gemm",
    "fuse_pad_into_conv",
    "fuse_pad_into_pool",
    "fuse_transpose_into_gemm",
    # Every layer has constants of its own, under the source's names for them.
    "eliminate_duplicate_initializer",
    # These build operations that no importer handler wants to see.
    "fuse_qkv",
    "fuse_concat_into_reshape",
    "rewrite_where",
    # Only the handlers know which merged operations stay exact.
    "fuse_consecutive_slices",
    "fuse_consecutive_log_softmax",
]

LARGEST_FOLDED_TENSOR = "64MB"


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with constant chains computed and dead or empty layers gone.

    The inputs and outputs stay what they were. Where onnxsim cannot cope with a model, the model
    is returned as it is: the importer computes constant chains itself too.
    """
    # It brings a large package in, hence not at the top of the file.
    import onnxsim

    try:
        simplified, _ = onnxsim.simplify(
            model,
            skipped_optimizers=list(SKIPPED_OPTIMIZERS),
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
