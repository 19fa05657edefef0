"""Reads an ONNX file and makes sure that it is a sound float model of known shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import inliner, shape_inference

from tinyflow.errors import ModelError
from tinyflow.importers.onnx.input_shapes import fix_input_shapes

OPSETS = range(7, 29)


def read_model(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> onnx.ModelProto:
    """The model with local functions inlined, ``shapes`` applied and all shapes inferred."""
    # onnx raises exceptions of many kinds over files that are not sound, and none of them can be
    # a fault of ours: nothing but the file goes in.
    try:
        model = onnx.load(path)
    except Exception as error:
        raise ModelError(
            f"{path} cannot be read as an ONNX model ({_first_line(error)})",
            "the file may be truncated, of another format, or lack its external data file",
        ) from None
    _check_opset(path, model)
    if model.graph.sparse_initializer:
        names = ", ".join(f"'{s.values.name}'" for s in model.graph.sparse_initializer)
        raise ModelError(f"{path} has sparse weights ({names})", "export them as dense tensors")
    fix_input_shapes(path, model, shapes)
    _state_axes(model)
    try:
        _check(model)
        if model.functions:
            model = inliner.inline_local_functions(model)
    except Exception as error:
        raise ModelError(f"{path} is not a sound ONNX model ({_first_line(error)})") from None
    for node in model.graph.node:
        # Before anything else makes up a name for it.
        node.name = node.name or next((o for o in node.output if o), "")
    try:
        return shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except Exception as error:
        hint = "the shapes given with --shape may not suit the model" if shapes else ""
        raise ModelError(
            f"the shapes in {path} contradict each other ({_first_line(error)})", hint
        ) from None


def _state_axes(model: onnx.ModelProto) -> None:
    """Writes out the default axes of MeanVarianceNormalization, without which onnx cannot infer
    its shape."""
    for node in model.graph.node:
        if node.op_type == "MeanVarianceNormalization" and not node.attribute:
            node.attribute.append(onnx.helper.make_attribute("axes", [0, 2, 3]))


def _check(model: onnx.ModelProto) -> None:
    """Runs onnx's checker, which insists on a shape for each output; files that run everywhere
    lack them."""
    types = [value.type.tensor_type for value in model.graph.output]
    shapeless = [t for t in types if not t.HasField("shape")]
    for tensor_type in shapeless:
        tensor_type.shape.SetInParent()
    onnx.checker.check_model(model)
    for tensor_type in shapeless:
        tensor_type.ClearField("shape")


def _check_opset(path: Path, model: onnx.ModelProto) -> None:
    versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    if not versions or not model.graph.node:
        raise ModelError(f"{path} holds no ONNX model", "the file may be truncated or empty")
    if max(versions) not in OPSETS:
        raise ModelError(
            f"{path} uses ONNX opset {max(versions)}; "
            f"TinyFlow reads opset {OPSETS.start} to {OPSETS.stop - 1}",
            "export the model again with opset_version=17, or convert it with "
            "onnx.version_converter",
        )


def _first_line(error: Exception) -> str:
    """What a library's exception says, without its stack of contexts."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
